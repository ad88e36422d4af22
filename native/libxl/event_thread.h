/* The thread on which libxl learns what has occurred: a libuv loop of its own. */
#ifndef HATCHERY_LIBXL_EVENT_THREAD_H
#define HATCHERY_LIBXL_EVENT_THREAD_H

#include <uv.h>

#include <atomic>
#include <memory>

#include "../machine/result.h"
#include "../machine/thread.h"
#include "event_sources.h"
#include "libxl_api.h"

namespace hatchery {

/*
 * Runs what libxl goes on with once something has occurred, which can take long and block; that is
 * why it is not Node's loop. SIGCHLD reaches it through libuv, which tells every loop of the
 * process: libxl then looks after its own children only, as Node's loops do after theirs.
 */
class EventThread {
  public:
    EventThread() = default;
    ~EventThread();
    EventThread(const EventThread&) = delete;
    EventThread& operator=(const EventThread&) = delete;

    /* Both must outlive the thread. Not to be called again. */
    Status start(libxl_ctx* ctx, EventSources& sources);
    /* Ends the thread, and waits for that; what has occurred by then may not be told. */
    void stop();
    /* Any thread: the sources have changed. */
    void wake();

  private:
    static EventThread& from(void* data) { return *static_cast<EventThread*>(data); }
    Status initialise();
    void refresh();
    void close_handles();

    libxl_ctx* ctx_ = nullptr;
    EventSources* sources_ = nullptr;
    std::atomic<bool> running_{false};
    std::atomic<bool> stopping_{false};
    bool initialised_ = false;
    uv_loop_t loop_ = {};
    uv_async_t async_ = {};
    uv_poll_t poll_ = {};
    uv_timer_t timer_ = {};
    uv_signal_t child_signal_ = {};
    Thread thread_;
};

}  // namespace hatchery

#endif
