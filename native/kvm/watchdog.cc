#include "watchdog.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "../machine/clock.h"
#include "../machine/system_call.h"
#include "../machine/thread.h"

namespace hatchery {
namespace {

constexpr auto kTick = std::chrono::milliseconds(1);
constexpr int kIdleTicksBeforeParking = 50;

/* Node uses no real-time signal; glibc keeps the first two. */
int interrupt_signal() {
    return SIGRTMIN + 5;
}

/* The kvm_run of the vCPU that this thread is running, for the signal handler. */
thread_local struct kvm_run* volatile current_run = nullptr;

void on_interrupt(int) {
    if (struct kvm_run* run = current_run) {
        run->immediate_exit = 1;
    }
}

}  // namespace

Watchdog& Watchdog::instance() {
    static Watchdog* const watchdog = new Watchdog();
    return *watchdog;
}

Status Watchdog::start() {
    Watchdog& watchdog = instance();
    const std::lock_guard lock(watchdog.start_mutex_);
    if (watchdog.started_) {
        return kSuccess;
    }
    struct sigaction action = {};
    action.sa_handler = on_interrupt; /* without SA_RESTART: KVM_RUN must return */
    if (attempt("sigaction", [&] { return sigaction(interrupt_signal(), &action, nullptr); }) < 0) {
        return Failure::from_errno("sigaction");
    }
    sigset_t all;
    sigfillset(&all);
    auto thread = Thread::start(all, [&watchdog] { watchdog.watch(); });
    if (!thread.ok()) {
        return thread.failure();
    }
    thread.value().detach();
    watchdog.started_ = true;
    return kSuccess;
}

Watchdog::SlotOwner::SlotOwner() {
    slot.thread = pthread_self();
    Watchdog& watchdog = instance();
    const std::lock_guard lock(watchdog.slots_mutex_);
    watchdog.slots_.push_back(&slot);
}

Watchdog::SlotOwner::~SlotOwner() {
    Watchdog& watchdog = instance();
    const std::lock_guard lock(watchdog.slots_mutex_);
    std::erase(watchdog.slots_, &slot);
}

Watchdog::Slot& Watchdog::slot_of_this_thread() {
    thread_local SlotOwner owner;
    return owner.slot;
}

Watchdog::Guard::Guard(struct kvm_run* run, int64_t deadline) {
    Watchdog& watchdog = instance();
    current_run = run;
    slot_of_this_thread().deadline.store(deadline, std::memory_order_seq_cst);
    /* Pairs with the store and the scan in watch(): one of the two sees the other. */
    if (watchdog.parked_.load(std::memory_order_seq_cst) != 0) {
        watchdog.parked_.store(0, std::memory_order_seq_cst);
        watchdog.parked_.notify_one();
    }
}

Watchdog::Guard::~Guard() {
    slot_of_this_thread().deadline.store(0, std::memory_order_release);
    struct kvm_run* run = current_run;
    current_run = nullptr;
    run->immediate_exit = 0;
}

bool Watchdog::scan() {
    const int64_t now = monotonic_now();
    bool armed = false;
    const std::lock_guard lock(slots_mutex_);
    for (const Slot* slot : slots_) {
        const int64_t deadline = slot->deadline.load(std::memory_order_seq_cst);
        armed = armed || deadline != 0;
        if (deadline != 0 && now >= deadline) {
            pthread_kill(slot->thread, interrupt_signal());
        }
    }
    return armed;
}

void Watchdog::watch() {
    int idle_ticks = 0;
    for (;;) {
        idle_ticks = scan() ? 0 : idle_ticks + 1;
        if (idle_ticks <= kIdleTicksBeforeParking) {
            std::this_thread::sleep_for(kTick);
            continue;
        }
        parked_.store(1, std::memory_order_seq_cst);
        if (scan()) {
            parked_.store(0, std::memory_order_seq_cst);
        } else {
            parked_.wait(1, std::memory_order_seq_cst);
        }
        idle_ticks = 0;
    }
}

}  // namespace hatchery
