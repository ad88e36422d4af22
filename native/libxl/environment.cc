#include "environment.h"

#include "operation.h"

namespace hatchery {

std::shared_ptr<Environment> Environment::attach(Napi::Env env) {
    std::shared_ptr<Environment> environment(new Environment());
    if (napi_create_threadsafe_function(
            env, nullptr, nullptr, Napi::String::New(env, "hatchery.libxl"), 0, 1, nullptr, nullptr,
            nullptr, on_delivery, &environment->queue_) != napi_ok) {
        return nullptr;
    }
    napi_unref_threadsafe_function(env, environment->queue_);
    env.SetInstanceData(new std::shared_ptr<Environment>(environment));
    env.AddCleanupHook([environment] { environment->detach(); });
    return environment;
}

std::shared_ptr<Environment> Environment::of(Napi::Env env) {
    return *env.GetInstanceData<std::shared_ptr<Environment>>();
}

/* Operations under way go on, and nobody hears of how they end. */
void Environment::detach() {
    {
        const std::lock_guard lock(mutex_);
        napi_release_threadsafe_function(queue_, napi_tsfn_abort);
        queue_ = nullptr;
    }
    while (!subscriptions_.empty()) {
        unsubscribe(subscriptions_.begin()->first);
    }
    under_way_.clear();
    context_.reset();
}

void Environment::deliver(Delivery delivery) {
    const std::lock_guard lock(mutex_);
    if (queue_ == nullptr) {
        return;
    }
    auto* const queued = new Delivery(std::move(delivery));
    if (napi_call_threadsafe_function(queue_, queued, napi_tsfn_nonblocking) != napi_ok) {
        delete queued;
    }
}

void Environment::on_delivery(napi_env env, napi_value, void*, void* data) {
    const std::unique_ptr<Delivery> delivery(static_cast<Delivery*>(data));
    if (env != nullptr) {
        const Napi::HandleScope scope(env);
        (*delivery)(Napi::Env(env));
    }
}

void Environment::add_share(std::shared_ptr<Context> context) {
    context_ = std::move(context);
    shares_++;
}

void Environment::release_share() {
    if (shares_ > 0 && --shares_ == 0) {
        while (!subscriptions_.empty()) {
            unsubscribe(subscriptions_.begin()->first);
        }
        context_.reset();
    }
}

uint32_t Environment::begin(std::shared_ptr<Operation> operation, Napi::Function callback) {
    const uint32_t number = next_number_++;
    under_way_.emplace(number, UnderWay{std::move(operation), Napi::Persistent(callback)});
    keep_alive_if_needed();
    return number;
}

Napi::FunctionReference Environment::end(uint32_t number) {
    auto entry = under_way_.find(number);
    Napi::FunctionReference callback = std::move(entry->second.callback);
    under_way_.erase(entry);
    keep_alive_if_needed();
    return callback;
}

std::shared_ptr<Operation> Environment::operation(uint32_t number) const {
    const auto entry = under_way_.find(number);
    return entry == under_way_.end() ? nullptr : entry->second.operation;
}

uint32_t Environment::subscribe(uint64_t after, Napi::Function callback) {
    const uint32_t number = next_number_++;
    auto& subscription =
        subscriptions_.emplace(number, Subscription{0, Napi::Persistent(callback)}).first->second;
    subscription.in_events = context_->events().subscribe(
        after, [environment = weak_from_this(), number](const std::string& event) {
            const auto here = environment.lock();
            if (!here) {
                return;
            }
            here->deliver([environment, number, event](Napi::Env env) {
                const auto still_here = environment.lock();
                if (!still_here) {
                    return;
                }
                const auto entry = still_here->subscriptions_.find(number);
                if (entry != still_here->subscriptions_.end()) {
                    entry->second.callback.Call({Napi::String::New(env, event)});
                }
            });
        });
    keep_alive_if_needed();
    return number;
}

void Environment::unsubscribe(uint32_t number) {
    const auto entry = subscriptions_.find(number);
    if (entry != subscriptions_.end()) {
        context_->events().unsubscribe(entry->second.in_events);
        subscriptions_.erase(entry);
        keep_alive_if_needed();
    }
}

void Environment::keep_alive_if_needed() {
    const bool needed = !under_way_.empty() || !subscriptions_.empty();
    if (queue_ == nullptr || needed == kept_alive_) {
        return;
    }
    kept_alive_ = needed;
    if (needed) {
        napi_ref_threadsafe_function(nullptr, queue_);
    } else {
        napi_unref_threadsafe_function(nullptr, queue_);
    }
}

}  // namespace hatchery
