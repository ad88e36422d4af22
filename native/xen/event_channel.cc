#include "event_channel.h"

#include <fcntl.h>
#include <poll.h>
#include <time.h>

#include <utility>

#include "../machine/clock.h"
#include "../machine/system_call.h"

namespace hatchery {
namespace {

/* With a descriptor that does not block, so that reading it says whether there was an event. */
Result<EventHandle> open_handle() {
    constexpr const char* kOpen = "xenevtchn_open";
    EventHandle handle(fault_is_due(kOpen) ? nullptr : xenevtchn_open(nullptr, 0));
    if (handle == nullptr) {
        return Failure::from_errno(kOpen);
    }
    constexpr const char* kControl = "fcntl(F_SETFL)";
    if (attempt(kControl, [&] { return fcntl(xenevtchn_fd(handle.get()), F_SETFL, O_NONBLOCK); }) <
        0) {
        return Failure::from_errno(kControl);
    }
    return handle;
}

}  // namespace

Status EventHandles::reserve(size_t count) {
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            if (idle_.size() >= count) {
                return kSuccess;
            }
        }
        auto handle = open_handle();
        if (!handle.ok()) {
            return handle.failure();
        }
        give_back(std::move(handle.value()));
    }
}

Result<EventHandle> EventHandles::take() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            EventHandle handle = std::move(idle_.back());
            idle_.pop_back();
            return handle;
        }
    }
    return open_handle();
}

void EventHandles::give_back(EventHandle handle) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(handle));
}

EventChannel::EventChannel(EventChannel&& other) noexcept
    : handles_(other.handles_),
      handle_(std::move(other.handle_)),
      port_(std::exchange(other.port_, -1)) {}

EventChannel& EventChannel::operator=(EventChannel&& other) noexcept {
    std::swap(handles_, other.handles_);
    std::swap(handle_, other.handle_);
    std::swap(port_, other.port_);
    return *this;
}

EventChannel::~EventChannel() {
    if (handle_ == nullptr) {
        return;
    }
    if (port_ >= 0 && xenevtchn_unbind(handle_.get(), static_cast<evtchn_port_t>(port_)) < 0) {
        return; /* closing the handle unbinds for certain */
    }
    /* What came before that stays in the handle's ring, under a number that the next channel may
     * get again. Nothing comes after it (evtchn_unbind_from_user, drivers/xen/evtchn.c). */
    while (xenevtchn_pending(handle_.get()) >= 0) {
    }
    if (errno == EAGAIN) {
        handles_->give_back(std::move(handle_));
    }
}

Result<EventChannel> EventChannel::bind(EventHandles& handles, uint32_t domain, uint32_t remote) {
    auto handle = handles.take();
    if (!handle.ok()) {
        return handle.failure();
    }
    EventChannel channel;
    channel.handles_ = &handles;
    channel.handle_ = std::move(handle.value());
    constexpr const char* kBind = "xenevtchn_bind_interdomain";
    channel.port_ = attempt(
        kBind, [&] { return xenevtchn_bind_interdomain(channel.handle_.get(), domain, remote); });
    if (channel.port_ < 0) {
        return Failure::from_errno(kBind);
    }
    return channel;
}

Status EventChannel::notify() {
    constexpr const char* kNotify = "xenevtchn_notify";
    if (attempt(kNotify, [&] {
            return xenevtchn_notify(handle_.get(), static_cast<evtchn_port_t>(port_));
        }) < 0) {
        return Failure::from_errno(kNotify);
    }
    return kSuccess;
}

Result<bool> EventChannel::wait(int64_t deadline) {
    constexpr const char* kPoll = "ppoll(/dev/xen/evtchn)";
    constexpr const char* kPending = "xenevtchn_pending";
    constexpr const char* kUnmask = "xenevtchn_unmask";
    constexpr int64_t kSecond = 1000000000;
    struct pollfd event = {xenevtchn_fd(handle_.get()), POLLIN, 0};
    for (;;) {
        const int64_t left = std::max<int64_t>(0, deadline - monotonic_now());
        const struct timespec timeout = {left / kSecond, left % kSecond};
        const int found = attempt_once(kPoll, [&] { return ppoll(&event, 1, &timeout, nullptr); });
        if (found < 0 && errno != EINTR) {
            return Failure::from_errno(kPoll);
        }
        if (found == 0) {
            return false;
        }
        if (found < 0) {
            continue;
        }
        const int port = attempt(kPending, [&] { return xenevtchn_pending(handle_.get()); });
        if (port < 0) {
            return Failure::from_errno(kPending);
        }
        if (attempt(kUnmask, [&] {
                return xenevtchn_unmask(handle_.get(), static_cast<evtchn_port_t>(port));
            }) < 0) {
            return Failure::from_errno(kUnmask);
        }
        if (port == port_) {
            return true;
        }
    }
}

}  // namespace hatchery
