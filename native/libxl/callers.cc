#include "callers.h"

#include <signal.h>

#include "../machine/thread.h"

namespace hatchery {

constexpr size_t kMostThreads = 4;

Callers& Callers::shared() {
    static Callers* const callers = new Callers();
    return *callers;
}

Status Callers::post(std::function<void()> call) {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.size() >= idle_ && threads_ < kMostThreads) {
            sigset_t all;
            sigfillset(&all);
            auto thread = Thread::start(all, [this] { run(); });
            if (thread.ok()) {
                thread.value().detach();
                threads_++;
            } else if (threads_ == 0) {
                return thread.failure();
            }
        }
        queue_.push_back(std::move(call));
    }
    wake_.notify_one();
    return kSuccess;
}

void Callers::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        idle_++;
        wake_.wait(lock, [this] { return !queue_.empty(); });
        idle_--;
        std::function<void()> call = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        call();
        call = nullptr; /* what it holds goes without the lock */
        lock.lock();
    }
}

}  // namespace hatchery
