/*
 * The module: what `require('hatchery_libxl.node')` gives. src/xen/libxl-native.ts types it, and
 * src/xen/libxl.ts checks arguments; here, only what memory safety needs is checked again.
 */
#include <napi.h>

#include <cstring>

#include "callers.h"
#include "environment.h"
#include "operation.h"
#include "xl_syntax.h"

namespace hatchery {
namespace {

Napi::Value refuse(Napi::Env env, const std::string& why) {
    Napi::TypeError::New(env, why).ThrowAsJavaScriptException();
    return env.Undefined();
}

OperationArguments read_arguments(const Napi::Array& numbers, const Napi::Array& texts) {
    OperationArguments read;
    for (uint32_t i = 0; i < numbers.Length(); i++) {
        read.numbers.push_back(numbers.Get(i).ToNumber().DoubleValue());
    }
    for (uint32_t i = 0; i < texts.Length(); i++) {
        read.texts.push_back(texts.Get(i).ToString());
    }
    return read;
}

/* request(operation, numbers, texts, callback): the operation's number. */
Napi::Value request(const Napi::CallbackInfo& info) {
    const std::string name = info[0].ToString();
    const OperationKind* const kind = find_operation(name);
    if (kind == nullptr) {
        return refuse(info.Env(), "no operation is called " + name);
    }
    OperationArguments given = read_arguments(info[1].As<Napi::Array>(), info[2].As<Napi::Array>());
    if (given.numbers.size() < kind->numbers || given.texts.size() < kind->texts) {
        return refuse(info.Env(), name + " needs more arguments");
    }
    const auto environment = Environment::of(info.Env());
    if (!environment->context() && !kind->gives_share) {
        return refuse(info.Env(), name + " needs an open context");
    }
    const auto operation = std::make_shared<Operation>(environment, *kind, std::move(given));
    const uint32_t number = environment->begin(operation, info[3].As<Napi::Function>());
    if (Status failed = Callers::shared().post([operation, number] { operation->run(number); })) {
        environment->end(number);
        return refuse(info.Env(), std::string(failed->call) + ": " + std::strerror(failed->error));
    }
    return Napi::Number::New(info.Env(), number);
}

/* abort(request) */
void abort_request(const Napi::CallbackInfo& info) {
    const auto operation = Environment::of(info.Env())->operation(info[0].ToNumber().Uint32Value());
    if (operation) {
        operation->abort();
    }
}

/* subscribe(after, callback): the subscription's number. */
Napi::Value subscribe(const Napi::CallbackInfo& info) {
    const auto environment = Environment::of(info.Env());
    if (!environment->context()) {
        return refuse(info.Env(), "subscribe needs an open context");
    }
    const double after = info[0].ToNumber().DoubleValue();
    return Napi::Number::New(info.Env(),
                             environment->subscribe(after < 0 ? 0 : static_cast<uint64_t>(after),
                                                    info[1].As<Napi::Function>()));
}

/* unsubscribe(subscription) */
void unsubscribe(const Napi::CallbackInfo& info) {
    Environment::of(info.Env())->unsubscribe(info[0].ToNumber().Uint32Value());
}

void release(const Napi::CallbackInfo& info) {
    Environment::of(info.Env())->release_share();
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
    if (!Environment::attach(env)) {
        refuse(env, "this environment cannot be called from other threads");
        return exports;
    }
    exports.Set("request", Napi::Function::New(env, request));
    exports.Set("abort", Napi::Function::New(env, abort_request));
    exports.Set("subscribe", Napi::Function::New(env, subscribe));
    exports.Set("unsubscribe", Napi::Function::New(env, unsubscribe));
    exports.Set("release", Napi::Function::New(env, release));
    exports.Set("parseConfiguration", Napi::Function::New(env, parse_configuration));
    exports.Set("parseDisk", Napi::Function::New(env, parse_disk));
    exports.Set("parseRate", Napi::Function::New(env, parse_rate));
    return exports;
}

}  // namespace
}  // namespace hatchery

static Napi::Object initialise_module(Napi::Env env, Napi::Object exports) {
    return hatchery::initialise(env, exports);
}

NODE_API_MODULE(hatchery_libxl, initialise_module)
