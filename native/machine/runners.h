/* Threads that do what must not block the event loop. */
#ifndef HATCHERY_MACHINE_RUNNERS_H
#define HATCHERY_MACHINE_RUNNERS_H

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "thread.h"

namespace hatchery {

/* Work for another thread, then for the JavaScript thread. */
class Job {
  public:
    enum class Progress {
        kDone,
        kUnfinished, /* `work` is to be called again, by another thread */
    };

    virtual ~Job() = default;
    /* On another thread; touches no JavaScript. `in_lane`: others wait, so only for a short time.
     */
    virtual Progress work(bool in_lane) = 0;
    /* On the JavaScript thread, in a handle scope, once work is done. */
    virtual void complete(Napi::Env env) = 0;
};

/*
 * Belongs to one Node environment, with which its threads end. There are two kinds of them.
 *
 * Runners are started as jobs wait, up to a bound: a job that a hostile guest holds up delays no
 * other while there are fewer of those than the bound.
 *
 * Lanes, one for each processor but the JavaScript thread's, are for jobs that are expected to be
 * short. A machine keeps to its lane, because kernels before 6.12 make a vCPU that changes threads
 * wait for a grace period (synchronize_rcu in kvm_vcpu_ioctl). A lane that has run dry spins for a
 * moment before it sleeps: waking a thread can cost as much as a guest's run. What turns out to
 * take long moves to a runner, or stays in turns with the others where none can be started.
 *
 * The event loop is kept alive while jobs are under way.
 */
class Runners {
    /* A thread with a queue of its own. */
    struct Lane {
        std::mutex mutex;
        std::condition_variable wake;
        std::deque<std::unique_ptr<Job>> queue;
        std::atomic<size_t> waiting{0};
        Thread thread; /* started with the first job */
    };

  public:
    /* What the jobs of runners do: run guests, for as long as those like, or end soon. */
    enum class Jobs { kLong, kShort };

    /* `most_threads`: the bound for runners. */
    Runners(Napi::Env env, size_t most_threads, Jobs jobs);
    ~Runners();
    Runners(const Runners&) = delete;
    Runners& operator=(const Runners&) = delete;

    /*
     * On the JavaScript thread: takes `job` to a runner, or to lane number `lane` modulo their
     * number. Where no thread can be started for it, and it should not wait for the runners that
     * there are, it stays the caller's.
     */
    Status submit(std::unique_ptr<Job>& job);
    Status submit_to_lane(size_t lane, std::unique_ptr<Job>& job);

    /* True from the moment the environment goes away: work that loops must end. */
    bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  private:
    /* Ends the threads; for the environment's end. What they did not get to is dropped. */
    void stop();
    static void on_done(napi_env env, napi_value, void* context, void* data);
    void run();
    Status enqueue(std::unique_ptr<Job>& job);
    void count_one_more();
    void hand_back(std::unique_ptr<Job> job);
    void run_lane(Lane& lane);

    const size_t most_threads_;
    const Jobs jobs_;
    napi_threadsafe_function done_ = nullptr;
    size_t under_way_ = 0; /* on the JavaScript thread only */
    std::atomic<bool> stopping_{false};

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::unique_ptr<Job>> queue_;
    std::vector<Thread> threads_;
    size_t idle_ = 0;
    std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace hatchery

#endif
