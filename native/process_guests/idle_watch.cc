#include "idle_watch.h"

#include <signal.h>

#include <algorithm>

#include "../machine/clock.h"
#include "../machine/thread.h"
#include "guest_process.h"

namespace hatchery {
namespace {

/* How often it looks whether a turn has ended while there are any, and whether one has begun. */
constexpr int64_t kTick = 10'000'000;
constexpr int64_t kSlowTick = 100'000'000;
constexpr int64_t kLongestPause = 1'000'000'000;
/*
 * The way from a message to the next wait, and to it after a fork, takes some ten microseconds; but what an
 * interrupt or a hypervisor takes meanwhile counts as the guest's, and on an emulated machine all takes
 * fifty times as long. It is what a guest can take unseen between two looks, anyway.
 */
constexpr int64_t kTolerated = 20'000'000;

}  // namespace

IdleWatch& IdleWatch::instance() {
    static IdleWatch* const watch = new IdleWatch();
    return *watch;
}

Status IdleWatch::add(GuestProcess* guest) {
    const std::lock_guard lock(mutex_);
    if (!started_) {
        sigset_t all;
        sigfillset(&all);
        auto thread = Thread::start(all, [this] { watch(); });
        if (!thread.ok()) {
            return thread.failure();
        }
        thread.value().detach();
        started_ = true;
    }
    guests_.push_back(guest);
    if (guests_.size() == 1) {
        wake_.notify_one();
    }
    return kSuccess;
}

void IdleWatch::remove(GuestProcess* guest) {
    const std::lock_guard lock(mutex_);
    const auto place = std::find(guests_.begin(), guests_.end(), guest);
    if (place != guests_.end()) {
        *place = guests_.back();
        guests_.pop_back();
    }
}

std::chrono::nanoseconds IdleWatch::scan() {
    const int64_t now = monotonic_now();
    int64_t pause = guests_.empty() ? 3600 * kLongestPause : kSlowTick;
    for (GuestProcess* guest : guests_) {
        Turn& turn = guest->turn();
        const uint64_t count = turn.count_.load(std::memory_order_seq_cst);
        if (Turn::is_running(count)) {
            pause = std::min(pause, kTick);
            continue;
        }
        if (count != turn.seen_) {
            turn.seen_ = count;
            turn.cpu_ = guest->cpu_now();
            turn.pause_ = kTick;
            turn.due_ = now + turn.pause_;
        } else if (now >= turn.due_) {
            look(*guest, turn, now);
        }
        pause = std::min(pause, std::max(turn.due_ - now, kTick / 10));
    }
    return std::chrono::nanoseconds(pause);
}

void IdleWatch::look(GuestProcess& guest, Turn& turn, int64_t now) {
    const int64_t used = guest.cpu_now() - turn.cpu_;
    /* One that has got a turn meanwhile may have used it. */
    if (used > kTolerated && turn.count_.load(std::memory_order_seq_cst) == turn.seen_) {
        guest.end_for_computing();
        turn.due_ = now + kLongestPause;
        return;
    }
    turn.pause_ = std::min(2 * turn.pause_, kLongestPause);
    turn.due_ = now + turn.pause_;
}

void IdleWatch::watch() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait_for(lock, scan());
    }
}

}  // namespace hatchery
