/* Threads of the driver's own, which leave all signals to the others. */
#ifndef HATCHERY_XEN_QUIET_THREAD_H
#define HATCHERY_XEN_QUIET_THREAD_H

#include <signal.h>

#include <functional>

#include "../machine/thread.h"

namespace hatchery {

inline Result<Thread> start_quiet_thread(std::function<void()> body) {
    sigset_t all;
    sigfillset(&all);
    return Thread::start(all, std::move(body));
}

}  // namespace hatchery

#endif
