#include "event_sources.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>

#include <array>
#include <vector>

namespace hatchery {
namespace {

static_assert(POLLIN == EPOLLIN && POLLPRI == EPOLLPRI && POLLOUT == EPOLLOUT &&
              POLLERR == EPOLLERR && POLLHUP == EPOLLHUP);

constexpr size_t kEventsAtATime = 32;
constexpr int kRefused = ERROR_OSEVENT_REG_FAIL;

void* as_registration(uint64_t number) {
    return reinterpret_cast<void*>(static_cast<uintptr_t>(number));
}

uint64_t as_number(void* registration) {
    return reinterpret_cast<uintptr_t>(registration);
}

}  // namespace

Result<std::unique_ptr<EventSources>> EventSources::create(std::function<void()> wake) {
    std::unique_ptr<EventSources> sources(new EventSources(std::move(wake)));
    sources->epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
    if (!sources->epoll_.valid()) {
        return Failure::from_errno("epoll_create1");
    }
    return sources;
}

const libxl_osevent_hooks* EventSources::hooks() {
    static const libxl_osevent_hooks hooks = {
        register_descriptor, modify_descriptor, deregister_descriptor,
        register_time,       hasten_time,       deregister_time,
    };
    return &hooks;
}

/* 0, or an errno. With the lock held. */
int EventSources::begin_waiting(uint64_t number, Source& source) {
    if (source.events == 0 || source.is_file) {
        return 0;
    }
    struct epoll_event event = {};
    event.events = static_cast<uint32_t>(source.events);
    event.data.u64 = number;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, source.watched(), &event) == 0) {
        return 0;
    }
    if (errno == EPERM) {
        source.is_file = true;
        return 0;
    }
    if (errno != EEXIST || source.duplicate.valid()) {
        return errno;
    }
    source.duplicate = Descriptor(fcntl(source.descriptor, F_DUPFD_CLOEXEC, 0));
    if (!source.duplicate.valid()) {
        return errno;
    }
    return epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, source.watched(), &event) == 0 ? 0 : errno;
}

/* With the lock held. Also for events of 0: epoll would go on to tell of errors and hang-ups. */
void EventSources::end_waiting(Source& source) {
    if (source.events != 0 && !source.is_file) {
        epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, source.watched(), nullptr);
    }
}

/* 0, or an errno. */
int EventSources::add(Source source, uint64_t* number) {
    const std::lock_guard lock(mutex_);
    const uint64_t chosen = next_number_++;
    if (const int error = begin_waiting(chosen, source)) {
        return error;
    }
    if (source.is_file) {
        wake_();
    }
    sources_.emplace(chosen, std::move(source));
    *number = chosen;
    return 0;
}

Status EventSources::watch(int descriptor, std::function<void()> handler) {
    uint64_t number;
    if (const int error =
            add({descriptor, {}, POLLIN, false, nullptr, std::move(handler)}, &number)) {
        return Failure{"epoll_ctl", error};
    }
    return kSuccess;
}

void EventSources::unwatch(int descriptor) {
    const std::lock_guard lock(mutex_);
    for (auto entry = sources_.begin(); entry != sources_.end(); ++entry) {
        if (entry->second.handler && entry->second.descriptor == descriptor) {
            end_waiting(entry->second);
            sources_.erase(entry);
            return;
        }
    }
}

int EventSources::register_descriptor(void* user, int descriptor, void** registration, short events,
                                      void* for_libxl) {
    uint64_t number;
    if (from(user).add({descriptor, {}, events, false, for_libxl, {}}, &number) != 0) {
        return kRefused;
    }
    *registration = as_registration(number);
    return 0;
}

int EventSources::modify_descriptor(void* user, int, void** registration, short events) {
    EventSources& all = from(user);
    const std::lock_guard lock(all.mutex_);
    const auto entry = all.sources_.find(as_number(*registration));
    if (entry == all.sources_.end()) {
        return kRefused;
    }
    Source& source = entry->second;
    const short before = source.events;
    all.end_waiting(source);
    source.events = events;
    if (all.begin_waiting(entry->first, source) != 0) {
        source.events = before;
        all.begin_waiting(entry->first, source);
        return kRefused;
    }
    if (source.is_file) {
        all.wake_();
    }
    return 0;
}

void EventSources::deregister_descriptor(void* user, int, void* registration) {
    EventSources& all = from(user);
    const std::lock_guard lock(all.mutex_);
    const auto entry = all.sources_.find(as_number(registration));
    if (entry != all.sources_.end()) {
        all.end_waiting(entry->second);
        all.sources_.erase(entry);
    }
}

int EventSources::register_time(void* user, void** registration, struct timeval at,
                                void* for_libxl) {
    EventSources& all = from(user);
    {
        const std::lock_guard lock(all.mutex_);
        const uint64_t number = all.next_number_++;
        all.times_.emplace(number, Time{at, for_libxl});
        *registration = as_registration(number);
    }
    all.wake_();
    return 0;
}

/* libxl only ever asks for "as soon as possible". It may have occurred meanwhile: then that was it.
 */
int EventSources::hasten_time(void* user, void** registration, struct timeval at) {
    EventSources& all = from(user);
    {
        const std::lock_guard lock(all.mutex_);
        const auto entry = all.times_.find(as_number(*registration));
        if (entry != all.times_.end()) {
            entry->second.at = at;
        }
    }
    all.wake_();
    return 0;
}

void EventSources::deregister_time(void* user, void* registration) {
    EventSources& all = from(user);
    const std::lock_guard lock(all.mutex_);
    all.times_.erase(as_number(registration));
}

void EventSources::dispatch(libxl_ctx* ctx) {
    std::array<struct epoll_event, kEventsAtATime> ready;
    const int count = epoll_wait(epoll_.get(), ready.data(), ready.size(), 0);
    for (int i = 0; i < count; i++) {
        std::function<void()> handler;
        void* for_libxl = nullptr;
        int descriptor = -1;
        short events = 0;
        {
            const std::lock_guard lock(mutex_);
            const auto entry = sources_.find(ready[i].data.u64);
            if (entry == sources_.end()) {
                continue;
            }
            handler = entry->second.handler;
            for_libxl = entry->second.for_libxl;
            descriptor = entry->second.descriptor;
            events = entry->second.events;
        }
        if (handler) {
            handler();
        } else {
            libxl_osevent_occurred_fd(ctx, for_libxl, descriptor, events,
                                      static_cast<short>(ready[i].events));
        }
    }
}

bool EventSources::dispatch_files(libxl_ctx* ctx) {
    struct Ready {
        int descriptor;
        short events;
        void* for_libxl;
    };
    std::vector<Ready> ready;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [number, source] : sources_) {
            if (source.is_file && source.events != 0) {
                ready.push_back({source.descriptor, source.events, source.for_libxl});
            }
        }
    }
    for (const Ready& file : ready) {
        libxl_osevent_occurred_fd(ctx, file.for_libxl, file.descriptor, file.events, file.events);
    }
    return !ready.empty();
}

void EventSources::dispatch_times(libxl_ctx* ctx) {
    for (;;) {
        void* for_libxl = nullptr;
        {
            struct timeval now;
            gettimeofday(&now, nullptr);
            const std::lock_guard lock(mutex_);
            auto due = times_.begin();
            while (due != times_.end() && timercmp(&now, &due->second.at, <)) {
                ++due;
            }
            if (due == times_.end()) {
                return;
            }
            for_libxl = due->second.for_libxl;
            times_.erase(due); /* libxl takes it as deregistered */
        }
        libxl_osevent_occurred_timeout(ctx, for_libxl);
    }
}

std::optional<uint64_t> EventSources::next_time() {
    struct timeval now;
    gettimeofday(&now, nullptr);
    std::optional<uint64_t> least;
    const std::lock_guard lock(mutex_);
    for (const auto& [number, time] : times_) {
        struct timeval left = {};
        if (timercmp(&now, &time.at, <)) {
            timersub(&time.at, &now, &left);
        }
        const uint64_t milliseconds = static_cast<uint64_t>(left.tv_sec) * 1000 +
                                      (static_cast<uint64_t>(left.tv_usec) + 999) / 1000;
        least = least ? std::min(*least, milliseconds) : milliseconds;
    }
    return least;
}

}  // namespace hatchery
