#include "thread.h"

#include <memory>

#include "system_call.h"

namespace hatchery {
namespace {

void* run_body(void* body) {
    const std::unique_ptr<std::function<void()>> owned(static_cast<std::function<void()>*>(body));
    (*owned)();
    return nullptr;
}

}  // namespace

Result<Thread> Thread::start(const sigset_t& blocked, std::function<void()> body) {
    auto owned = std::make_unique<std::function<void()>>(std::move(body));
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    Thread thread;
    const int error = fault_is_due("pthread_create")
                          ? errno
                          : pthread_create(&thread.id_, nullptr, run_body, owned.get());
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (error != 0) {
        return Failure{"pthread_create", error};
    }
    (void)owned.release(); /* the thread's now */
    thread.joinable_ = true;
    return thread;
}

void Thread::join() {
    if (std::exchange(joinable_, false)) {
        pthread_join(id_, nullptr);
    }
}

void Thread::detach() {
    if (std::exchange(joinable_, false)) {
        pthread_detach(id_);
    }
}

}  // namespace hatchery
