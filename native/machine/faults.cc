#ifdef HATCHERY_TEST_HOOKS

#include "faults.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "system_call.h"

namespace hatchery {
namespace {

struct Faults {
    std::mutex mutex;
    std::map<std::string, uint32_t> made;
    std::string call; /* the one to fail; empty: none */
    uint32_t countdown = 0;
    int error = 0;
    bool injected = false;
};

/* Never destroyed: threads may outlive everything. */
Faults& faults() {
    static Faults* const faults = new Faults();
    return *faults;
}

Napi::Value record(const Napi::CallbackInfo& info) {
    const std::lock_guard lock(faults().mutex);
    faults().made.clear();
    return info.Env().Undefined();
}

Napi::Value recorded(const Napi::CallbackInfo& info) {
    const std::lock_guard lock(faults().mutex);
    Napi::Object calls = Napi::Object::New(info.Env());
    for (const auto& [name, count] : faults().made) {
        calls.Set(name, count);
    }
    return calls;
}

Napi::Value inject(const Napi::CallbackInfo& info) {
    const std::lock_guard lock(faults().mutex);
    faults().call = info[0].As<Napi::String>().Utf8Value();
    faults().countdown = info[1].As<Napi::Number>().Uint32Value();
    faults().error = info[2].As<Napi::Number>().Int32Value();
    faults().injected = false;
    return info.Env().Undefined();
}

Napi::Value injected(const Napi::CallbackInfo& info) {
    const std::lock_guard lock(faults().mutex);
    faults().call.clear();
    return Napi::Boolean::New(info.Env(), faults().injected);
}

}  // namespace

bool fault_is_due(const char* name) {
    Faults& all = faults();
    const std::lock_guard lock(all.mutex);
    all.made[name]++;
    if (all.call != name || --all.countdown != 0) {
        return false;
    }
    all.call.clear();
    all.injected = true;
    errno = all.error;
    return true;
}

Napi::Object new_faults_object(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object.Set("record", Napi::Function::New(env, record));
    object.Set("recorded", Napi::Function::New(env, recorded));
    object.Set("inject", Napi::Function::New(env, inject));
    object.Set("injected", Napi::Function::New(env, injected));
    return object;
}

}  // namespace hatchery

#endif
