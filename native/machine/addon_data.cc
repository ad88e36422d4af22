#include "addon_data.h"

#include <cstring>

#include "../../images/abi/hatchery.h"
#include "faults.h"

namespace hatchery {
namespace {

/* Guests that run for long, at a time: each holds a thread. */
constexpr size_t kMostRunningGuests = 256;
/* More would only wait for each other: creating and closing VMs takes locks of the whole process.
 */
constexpr size_t kUpkeepThreads = 4;

template <typename Array>
Napi::Reference<Array> keep(Array array) {
    return Napi::Reference<Array>::New(array, 1);
}

}  // namespace

AddonData::AddonData(Napi::Env env)
    : runners(std::make_unique<Runners>(env, kMostRunningGuests, Runners::Jobs::kLong)),
      upkeep(std::make_unique<Runners>(env, kUpkeepThreads, Runners::Jobs::kShort)) {
    const auto values = Napi::Float64Array::New(env, kResultCount);
    const auto response = Napi::Uint8Array::New(env, HATCHERY_RESPONSE_WINDOW_BYTES);
    const auto records = Napi::Uint8Array::New(env, HATCHERY_LOG_WINDOW_BYTES);
    result_values = const_cast<Napi::Float64Array&>(values).Data();
    payload_bytes = const_cast<Napi::Uint8Array&>(response).Data();
    log_bytes = const_cast<Napi::Uint8Array&>(records).Data();
    result = keep(values);
    payload = keep(response);
    logs = keep(records);
}

Napi::Error failure_to_error(Napi::Env env, const Failure& failure) {
    Napi::Error error =
        Napi::Error::New(env, std::string(failure.call) + ": " + std::strerror(failure.error));
    error.Set("call", Napi::String::New(env, failure.call));
    error.Set("errno", Napi::Number::New(env, failure.error));
    return error;
}

Napi::Value throw_failure(Napi::Env env, const Failure& failure) {
    failure_to_error(env, failure).ThrowAsJavaScriptException();
    return env.Undefined();
}

void export_machines(Napi::Env env, Napi::Object exports, uint64_t reserved_bytes) {
    auto* data = new AddonData(env);
    env.SetInstanceData(data);
    data->snapshot_class = Napi::Persistent(define_snapshot_class(env));
    data->machine_class = Napi::Persistent(define_machine_class(env));
    exports.Set("result", data->result.Value());
    exports.Set("payload", data->payload.Value());
    exports.Set("logs", data->logs.Value());
    exports.Set("abiVersion", Napi::Number::New(env, HATCHERY_ABI_VERSION));
    exports.Set("reservedBytes", Napi::Number::New(env, static_cast<double>(reserved_bytes)));
    exports.Set("channelBytes", Napi::Number::New(env, HATCHERY_CHANNEL_BYTES));
#ifdef HATCHERY_TEST_HOOKS
    exports.Set("faults", new_faults_object(env));
#endif
}

}  // namespace hatchery
