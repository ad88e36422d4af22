/* Threads that call libxl, so that no JavaScript thread does. */
#ifndef HATCHERY_LIBXL_CALLERS_H
#define HATCHERY_LIBXL_CALLERS_H

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "../machine/result.h"

namespace hatchery {

/*
 * A few threads of the process, started as calls wait, up to a bound, and never ended: libxl holds
 * its lock during most of a call, so that more of them would only wait for each other. What takes
 * long in libxl does not stay on them: it goes on on the event thread.
 */
class Callers {
  public:
    /* The process's; never destroyed, as its threads do not end either. */
    static Callers& shared();

    /* Fails where no thread can be started and there is none. */
    Status post(std::function<void()> call);

  private:
    Callers() = default;
    void run();

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> queue_;
    size_t threads_ = 0;
    size_t idle_ = 0;
};

}  // namespace hatchery

#endif
