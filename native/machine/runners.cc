#include "runners.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>

#include "clock.h"

namespace hatchery {
namespace {

constexpr int64_t kSpinNanoseconds = 30000;
/*
 * Of threads for long jobs: many guests that compute would else leave the event loop, which all
 * others wait for, only its equal share of a processor (`npm run soak`).
 */
constexpr int kLongJobsNiceness = 10;

/* Starts a thread that leaves signals to the main thread, but for the real-time ones, by which
 * drivers interrupt their own. */
template <typename Body>
Result<Thread> start_quietly(Body body) {
    sigset_t process_signals;
    sigemptyset(&process_signals);
    for (int signal = 1; signal < SIGRTMIN; signal++) {
        sigaddset(&process_signals, signal);
    }
    return Thread::start(process_signals, body);
}

/* Waits until the count is not 0, for a moment at most. */
void spin_while_zero(const std::atomic<size_t>& count) {
    const int64_t until = monotonic_now() + kSpinNanoseconds;
    while (count.load(std::memory_order_acquire) == 0 && monotonic_now() < until) {
        __builtin_ia32_pause();
    }
}

}  // namespace

Runners::Runners(Napi::Env env, size_t most_threads, Jobs jobs)
    : most_threads_(most_threads), jobs_(jobs) {
    napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "hatchery"), 0, 1,
                                    nullptr, nullptr, this, on_done, &done_);
    napi_unref_threadsafe_function(env, done_);
    const size_t others = std::max(2u, std::thread::hardware_concurrency()) - 1;
    for (size_t i = 0; i < others; i++) {
        lanes_.push_back(std::make_unique<Lane>());
    }
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
    for (const auto& lane : lanes_) {
        {
            const std::lock_guard lock(lane->mutex); /* so that it does not miss the wake-up */
        }
        lane->wake.notify_all();
        lane->thread.join();
        lane->queue.clear();
    }
    /* No lane is left that could start another thread. */
    for (Thread& thread : threads_) {
        thread.join();
    }
    threads_.clear();
    queue_.clear();
    napi_release_threadsafe_function(done_, napi_tsfn_abort);
}

void Runners::count_one_more() {
    if (under_way_++ == 0) {
        napi_ref_threadsafe_function(nullptr, done_);
    }
}

Status Runners::submit(std::unique_ptr<Job>& job) {
    if (Status failed = enqueue(job)) {
        return failed;
    }
    count_one_more();
    return kSuccess;
}

Status Runners::enqueue(std::unique_ptr<Job>& job) {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.size() >= idle_ && threads_.size() < most_threads_ && !stopping_) {
            auto thread = start_quietly([this] { run(); });
            if (thread.ok()) {
                threads_.push_back(std::move(thread.value()));
            } else if (threads_.empty() || jobs_ == Jobs::kLong) {
                return thread.failure();
            }
        }
        queue_.push_back(std::move(job));
    }
    wake_.notify_one();
    return kSuccess;
}

Status Runners::submit_to_lane(size_t number, std::unique_ptr<Job>& job) {
    Lane& lane = *lanes_[number % lanes_.size()];
    {
        const std::lock_guard lock(lane.mutex);
        if (!lane.thread.joinable()) {
            auto thread = start_quietly([this, &lane] { run_lane(lane); });
            if (!thread.ok()) {
                return thread.failure();
            }
            lane.thread = std::move(thread.value());
        }
        lane.queue.push_back(std::move(job));
        lane.waiting.store(lane.queue.size(), std::memory_order_release);
    }
    lane.wake.notify_one();
    count_one_more();
    return kSuccess;
}

void Runners::run_lane(Lane& lane) {
    for (;;) {
        spin_while_zero(lane.waiting);
        std::unique_ptr<Job> job;
        {
            std::unique_lock lock(lane.mutex);
            lane.wake.wait(lock, [&] { return stopping_ || !lane.queue.empty(); });
            if (stopping_) {
                return;
            }
            job = std::move(lane.queue.front());
            lane.queue.pop_front();
            lane.waiting.store(lane.queue.size(), std::memory_order_release);
        }
        if (job->work(true) == Job::Progress::kDone) {
            hand_back(std::move(job));
        } else if (enqueue(job)) {
            const std::lock_guard lock(lane.mutex);
            lane.queue.push_back(std::move(job));
            lane.waiting.store(lane.queue.size(), std::memory_order_release);
        }
    }
}

void Runners::run() {
    if (jobs_ == Jobs::kLong) {
        /* Linux keeps this for each thread (setpriority(2), notes). A refusal changes nothing else.
         */
        setpriority(PRIO_PROCESS, 0, kLongJobsNiceness);
    }
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
        while (job->work(false) == Job::Progress::kUnfinished) {
        }
        hand_back(std::move(job));
        lock.lock();
    }
}

void Runners::hand_back(std::unique_ptr<Job> job) {
    Job* const done = job.release();
    if (napi_call_threadsafe_function(done_, done, napi_tsfn_nonblocking) != napi_ok) {
        delete done;
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
