#include "event_thread.h"

#include <signal.h>

namespace hatchery {

EventThread::~EventThread() {
    stop();
}

/* Failures of libuv are negative errnos. */
Status EventThread::initialise() {
    if (const int error = uv_loop_init(&loop_)) {
        return Failure{"uv_loop_init", -error};
    }
    initialised_ = true;
    if (const int error = uv_async_init(&loop_, &async_, [](uv_async_t* async) {
            EventThread& thread = from(async->data);
            if (thread.stopping_) {
                thread.close_handles();
            } else {
                thread.refresh();
            }
        })) {
        return Failure{"uv_async_init", -error};
    }
    uv_timer_init(&loop_, &timer_);
    if (const int error = uv_poll_init(&loop_, &poll_, sources_->descriptor())) {
        return Failure{"uv_poll_init", -error};
    }
    if (const int error = uv_signal_init(&loop_, &child_signal_)) {
        return Failure{"uv_signal_init", -error};
    }
    async_.data = timer_.data = poll_.data = child_signal_.data = this;
    if (const int error = uv_poll_start(&poll_, UV_READABLE, [](uv_poll_t* poll, int, int) {
            EventThread& thread = from(poll->data);
            thread.sources_->dispatch(thread.ctx_);
        })) {
        return Failure{"uv_poll_start", -error};
    }
    if (const int error = uv_signal_start(
            &child_signal_,
            [](uv_signal_t* signal, int) {
                libxl_childproc_sigchld_occurred(from(signal->data).ctx_);
            },
            SIGCHLD)) {
        return Failure{"uv_signal_start", -error};
    }
    return kSuccess;
}

Status EventThread::start(libxl_ctx* ctx, EventSources& sources) {
    ctx_ = ctx;
    sources_ = &sources;
    Status failed = initialise();
    if (!failed) {
        sigset_t all;
        sigfillset(&all);
        auto thread = Thread::start(all, [this] { uv_run(&loop_, UV_RUN_DEFAULT); });
        if (thread.ok()) {
            thread_ = std::move(thread.value());
            running_ = true;
        } else {
            failed = thread.failure();
        }
    }
    if (failed && initialised_) {
        /* Handles that were not initialised are all zero: no loop's. */
        close_handles();
        uv_run(&loop_, UV_RUN_DEFAULT);
        uv_loop_close(&loop_);
        initialised_ = false;
    }
    return failed;
}

void EventThread::close_handles() {
    uv_handle_t* const handles[] = {
        reinterpret_cast<uv_handle_t*>(&async_), reinterpret_cast<uv_handle_t*>(&timer_),
        reinterpret_cast<uv_handle_t*>(&poll_), reinterpret_cast<uv_handle_t*>(&child_signal_)};
    for (uv_handle_t* handle : handles) {
        if (handle->loop != nullptr && !uv_is_closing(handle)) {
            uv_close(handle, nullptr);
        }
    }
}

void EventThread::stop() {
    if (!initialised_) {
        return;
    }
    stopping_ = true;
    uv_async_send(&async_);
    thread_.join();
    running_ = false;
    uv_loop_close(&loop_);
    initialised_ = false;
}

void EventThread::wake() {
    if (running_) {
        uv_async_send(&async_);
    }
}

void EventThread::refresh() {
    sources_->dispatch_times(ctx_);
    if (sources_->dispatch_files(ctx_)) {
        uv_async_send(&async_); /* they are ready again at once */
    }
    const std::optional<uint64_t> next = sources_->next_time();
    if (!next) {
        uv_timer_stop(&timer_);
        return;
    }
    uv_update_time(&loop_);
    uv_timer_start(
        &timer_, [](uv_timer_t* timer) { from(timer->data).refresh(); }, *next, 0);
}

}  // namespace hatchery
