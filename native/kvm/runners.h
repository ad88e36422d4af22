/* Threads that do what must not block the event loop. */
#ifndef HATCHERY_KVM_RUNNERS_H
#define HATCHERY_KVM_RUNNERS_H

#include <napi.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace hatchery {

/* Work for a runner thread, then for the JavaScript thread. */
class Job {
  public:
    virtual ~Job() = default;
    /* On a runner thread; touches no JavaScript. */
    virtual void work() = 0;
    /* On the JavaScript thread, in a handle scope, once work is done. */
    virtual void complete(Napi::Env env) = 0;
};

/*
 * One for each Node environment. Threads are started as jobs wait, up to a bound, and end with the
 * environment; a job that hostile guests hold up delays no other while there are fewer of them than
 * the bound. The event loop is kept alive while jobs are under way.
 */
class Runners {
  public:
    explicit Runners(Napi::Env env);
    ~Runners();
    Runners(const Runners&) = delete;
    Runners& operator=(const Runners&) = delete;

    /* On the JavaScript thread. */
    void submit(std::unique_ptr<Job> job);

    /* True from the moment the environment goes away: work that loops must end. */
    bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  private:
    /* Ends the threads; for the environment's end. What they did not get to is dropped. */
    void stop();
    static void on_done(napi_env env, napi_value, void* context, void* data);
    void run();
    void start_thread();

    napi_threadsafe_function done_ = nullptr;
    size_t under_way_ = 0; /* on the JavaScript thread only */
    std::atomic<bool> stopping_{false};

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::unique_ptr<Job>> queue_;
    std::vector<std::thread> threads_;
    size_t idle_ = 0;
};

}  // namespace hatchery

#endif
