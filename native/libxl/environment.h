/* What belongs to one Node environment: the way to its JavaScript thread. */
#ifndef HATCHERY_LIBXL_ENVIRONMENT_H
#define HATCHERY_LIBXL_ENVIRONMENT_H

#include <napi.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "context.h"

namespace hatchery {

class Operation;

/* Operations and subscriptions hold on to it, and may outlive what it is for. */
class Environment : public std::enable_shared_from_this<Environment> {
  public:
    using Delivery = std::function<void(Napi::Env)>;

    static std::shared_ptr<Environment> attach(Napi::Env env);
    static std::shared_ptr<Environment> of(Napi::Env env);

    /* Any thread: has it called on the JavaScript thread, unless the environment has ended. */
    void deliver(Delivery delivery);

    /* The rest is for the JavaScript thread only. */

    /* The context, as long as one of the environment's users has a share in it. */
    const std::shared_ptr<Context>& context() const { return context_; }
    void add_share(std::shared_ptr<Context> context);
    void release_share();

    /* Keeps the event loop alive, and the callback, until the operation ends. */
    uint32_t begin(std::shared_ptr<Operation> operation, Napi::Function callback);
    Napi::FunctionReference end(uint32_t number);
    std::shared_ptr<Operation> operation(uint32_t number) const;

    /* Keeps the event loop alive, and delivers events to the callback (DomainEvents::subscribe). */
    uint32_t subscribe(uint64_t after, Napi::Function callback);
    void unsubscribe(uint32_t number);

  private:
    struct UnderWay {
        std::shared_ptr<Operation> operation;
        Napi::FunctionReference callback;
    };
    struct Subscription {
        uint64_t in_events;
        Napi::FunctionReference callback;
    };

    Environment() = default;
    void detach();
    void keep_alive_if_needed();
    static void on_delivery(napi_env env, napi_value, void*, void* data);

    std::mutex mutex_;
    napi_threadsafe_function queue_ = nullptr; /* none once the environment has ended */

    std::shared_ptr<Context> context_;
    size_t shares_ = 0;
    bool kept_alive_ = false;
    uint32_t next_number_ = 1;
    std::map<uint32_t, UnderWay> under_way_;
    std::map<uint32_t, Subscription> subscriptions_;
};

}  // namespace hatchery

#endif
