/* Bounds the time that a vCPU runs. */
#ifndef HATCHERY_KVM_WATCHDOG_H
#define HATCHERY_KVM_WATCHDOG_H

#include <linux/kvm.h>
#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "../machine/result.h"

namespace hatchery {

/*
 * One thread that interrupts vCPUs whose time is over, by a signal to the thread that runs them.
 * The handler sets `immediate_exit`, so that the signal counts even when it comes just before the
 * KVM_RUN (Documentation/virt/kvm/api.rst, KVM_RUN). Arming costs two stores and no system call
 * while machines run often; the price is a wake-up each millisecond meanwhile. Deadlines are kept
 * to about that millisecond.
 *
 * One for the process, never destroyed: threads of several Node environments
 * share it.
 */
class Watchdog {
  public:
    /* Starts it where it does not run yet; must have succeeded before the first Guard. */
    static Status start();

    /* While it lives, the calling thread gets interrupted once `deadline` has passed. */
    class Guard {
      public:
        Guard(struct kvm_run* run, int64_t deadline);
        ~Guard();
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;
    };

  private:
    struct Slot {
        std::atomic<int64_t> deadline{0}; /* 0: not armed */
        pthread_t thread;
    };
    /* A thread's slot; lives as long as the thread. */
    class SlotOwner {
      public:
        SlotOwner();
        ~SlotOwner();
        Slot slot;
    };

    Watchdog() = default;
    static Watchdog& instance();
    static Slot& slot_of_this_thread();
    void watch();
    /* Signals the overdue; returns whether any slot is armed. */
    bool scan();

    std::mutex start_mutex_;
    bool started_ = false;

    std::mutex slots_mutex_;
    std::vector<Slot*> slots_;
    std::atomic<uint32_t> parked_{0};
};

}  // namespace hatchery

#endif
