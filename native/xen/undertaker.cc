#include "undertaker.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "../machine/clock.h"
#include "../machine/system_call.h"
#include "domain_list.h"
#include "hypervisor.h"
#include "quiet_thread.h"
#include "store_entries.h"

namespace hatchery {
namespace {

/* Domains whose xenstore entries go together, and those that may wait before others wait for them.
 */
constexpr size_t kAtATime = 16;
constexpr uint64_t kMostWaiting = 32;
/* Names alone are in no hurry: on a Dom0 with one processor, writing them would be in the way of
 * the request for which a domain got its name. */
constexpr std::chrono::milliseconds kNamesWait(2);
constexpr int kTries = 3;
constexpr struct timespec kBetweenTries = {0, 20000000};

/* Tries `act`, a Status(), some times. */
template <typename Act>
bool try_hard(Act act) {
    for (int i = 0; i < kTries; i++) {
        if (i > 0) {
            nanosleep(&kBetweenTries, nullptr);
        }
        if (!act()) {
            return true;
        }
    }
    return false;
}

}  // namespace

Status Undertaker::start() {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable()) {
        return kSuccess;
    }
    auto thread = start_quiet_thread([this] { work(); });
    if (!thread.ok()) {
        return thread.failure();
    }
    thread_ = std::move(thread.value());
    return kSuccess;
}

void Undertaker::bury(Remains remains) {
    {
        const std::lock_guard lock(mutex_);
        remains_.push_back(std::move(remains));
        orders_++;
    }
    wake_.notify_one();
}

void Undertaker::rename(uint32_t domain, std::string name) {
    {
        const std::lock_guard lock(mutex_);
        names_.push_back({domain, std::move(name)});
        orders_++;
    }
    wake_.notify_one();
}

bool Undertaker::wait_until_done(std::unique_lock<std::mutex>& lock, uint64_t orders,
                                 int64_t deadline) {
    const auto left = std::chrono::nanoseconds(std::max<int64_t>(0, deadline - monotonic_now()));
    return done_.wait_for(lock, left, [&] { return carried_ >= orders; });
}

bool Undertaker::drain(int64_t deadline) {
    std::unique_lock lock(mutex_);
    return wait_until_done(lock, orders_, deadline);
}

void Undertaker::wait_for_room(int64_t deadline) {
    std::unique_lock lock(mutex_);
    if (orders_ > kMostWaiting) {
        wait_until_done(lock, orders_ - kMostWaiting, deadline);
    }
}

size_t Undertaker::failures() {
    const std::lock_guard lock(mutex_);
    return failures_;
}

void Undertaker::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return orders_ > carried_; });
        wake_.wait_for(lock, kNamesWait, [this] { return !remains_.empty(); });
        auto names = std::exchange(names_, {});
        const auto last =
            remains_.begin() + static_cast<std::ptrdiff_t>(std::min(kAtATime, remains_.size()));
        std::vector<Remains> remains(std::make_move_iterator(remains_.begin()),
                                     std::make_move_iterator(last));
        remains_.erase(remains_.begin(), last);
        const uint64_t taken = names.size() + remains.size();
        lock.unlock();
        carry_out(std::move(names), std::move(remains));
        lock.lock();
        carried_ += taken;
        done_.notify_all();
    }
}

void Undertaker::carry_out(std::vector<Name> names, std::vector<Remains> remains) {
    size_t failures = 0;
    std::vector<uint32_t> ended;
    for (const Remains& dead : remains) {
        if (destroy(dead)) {
            ended.push_back(dead.domain);
        } else {
            failures++;
        }
    }
    StoreEntries& store = hypervisor_.store();
    for (const Name& given : names) {
        if (std::find(ended.begin(), ended.end(), given.domain) == ended.end()) {
            failures += try_hard([&] { return store.rename(given.domain, given.name); }) ? 0 : 1;
        }
    }
    if (!ended.empty()) {
        failures += try_hard([&] { return store.remove(ended); }) ? 0 : 1;
    }
    /* The mappings go last: until then nothing else can have the domains' numbers. */
    remains.clear();
    const std::lock_guard lock(mutex_);
    failures_ += failures;
}

bool Undertaker::destroy(const Remains& remains) {
    constexpr const char* kDestroy = "xc_domain_destroy";
    return try_hard([&]() -> Status {
        auto found = find_domain(hypervisor_.control(), remains.domain);
        if (!found.ok()) {
            return found.failure();
        }
        if (!found.value() || !has_handle(*found.value(), remains.handle)) {
            return kSuccess; /* somebody else has destroyed it */
        }
        if (attempt(kDestroy,
                    [&] { return xc_domain_destroy(hypervisor_.control(), remains.domain); }) < 0 &&
            errno != ESRCH) {
            return Failure::from_errno(kDestroy);
        }
        return kSuccess;
    });
}

}  // namespace hatchery
