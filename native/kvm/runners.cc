#include "runners.h"

#include <signal.h>

namespace hatchery {
namespace {

constexpr size_t kMostThreads = 256;

}  // namespace

Runners::Runners(Napi::Env env) {
    napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "hatchery.kvm"),
                                    0, 1, nullptr, nullptr, this, on_done, &done_);
    napi_unref_threadsafe_function(env, done_);
    /* Hooks run last in, first out: this one before the one that ends `done_`. */
    napi_add_env_cleanup_hook(
        env, [](void* runners) { static_cast<Runners*>(runners)->stop(); }, this);
}

Runners::~Runners() = default;

void Runners::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    queue_.clear();
    napi_release_threadsafe_function(done_, napi_tsfn_abort);
}

void Runners::submit(std::unique_ptr<Job> job) {
    if (under_way_++ == 0) {
        napi_ref_threadsafe_function(nullptr, done_);
    }
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(job));
        if (queue_.size() > idle_ && threads_.size() < kMostThreads) {
            start_thread();
        }
    }
    wake_.notify_one();
}

void Runners::start_thread() {
    /* Signals are the main thread's business, but for the watchdog's, which it leaves to us. */
    sigset_t process_signals, before;
    sigemptyset(&process_signals);
    for (int signal = 1; signal < SIGRTMIN; signal++) {
        sigaddset(&process_signals, signal);
    }
    pthread_sigmask(SIG_BLOCK, &process_signals, &before);
    threads_.emplace_back([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Runners::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        idle_++;
        wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        idle_--;
        if (stopping_) {
            return;
        }
        std::unique_ptr<Job> job = std::move(queue_.front());
        queue_.pop_front();
        lock.unlock();
        job->work();
        Job* const done = job.release();
        if (napi_call_threadsafe_function(done_, done, napi_tsfn_nonblocking) != napi_ok) {
            delete done;
        }
        lock.lock();
    }
}

void Runners::on_done(napi_env env, napi_value, void* context, void* data) {
    const std::unique_ptr<Job> job(static_cast<Job*>(data));
    if (env == nullptr) {
        return; /* the environment is going away */
    }
    auto* runners = static_cast<Runners*>(context);
    if (--runners->under_way_ == 0) {
        napi_unref_threadsafe_function(env, runners->done_);
    }
    const Napi::HandleScope scope(env);
    job->complete(Napi::Env(env));
}

}  // namespace hatchery
