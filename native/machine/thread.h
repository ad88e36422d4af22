/* Threads whose start may fail: std::thread would throw, and nothing here can catch. */
#ifndef HATCHERY_MACHINE_THREAD_H
#define HATCHERY_MACHINE_THREAD_H

#include <pthread.h>
#include <signal.h>

#include <functional>
#include <utility>

#include "result.h"

namespace hatchery {

/* A thread that is joined, or told to be on its own, before its owner goes. */
class Thread {
  public:
    Thread() = default;
    Thread(Thread&& other) noexcept
        : id_(other.id_), joinable_(std::exchange(other.joinable_, false)) {}
    Thread& operator=(Thread&& other) noexcept {
        std::swap(id_, other.id_);
        std::swap(joinable_, other.joinable_);
        return *this;
    }
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;

    /* Starts a thread with these signals blocked besides those of the caller. */
    static Result<Thread> start(const sigset_t& blocked, std::function<void()> body);

    bool joinable() const { return joinable_; }
    void join();
    void detach();

  private:
    pthread_t id_ = {};
    bool joinable_ = false;
};

}  // namespace hatchery

#endif
