/*
 * The module: what `require('hatchery_process.node')` gives. src/supervisor/process-native.ts types
 * it and checks arguments; here they are only read.
 */
#include <napi.h>
#include <unistd.h>

#include <cstring>

#include "connection.h"
#include "file_rules.h"
#include "privileges.h"
#include "shared_table.h"
#include "system_calls.h"

namespace hatchery {
namespace {

Napi::Value throw_failure(Napi::Env env, const Failure& failure) {
    Napi::Error error =
        Napi::Error::New(env, std::string(failure.call) + ": " + std::strerror(failure.error));
    error.Set("call", Napi::String::New(env, failure.call));
    error.Set("errno", Napi::Number::New(env, failure.error));
    error.ThrowAsJavaScriptException();
    return env.Undefined();
}

Napi::Value expose(Napi::Env env, int descriptor) {
    auto mapping = map_table(descriptor);
    if (!mapping.ok()) {
        return throw_failure(env, mapping.failure());
    }
    auto* owner = new Mapping(std::move(mapping.value()));
    return Napi::ArrayBuffer::New(
        env, owner->bytes(), owner->size(),
        [](Napi::Env, void*, Mapping* mapped) { delete mapped; }, owner);
}

/* createTable(bytes): `{descriptor, memory}`; the descriptor is the caller's to close. */
Napi::Value create(const Napi::CallbackInfo& info) {
    const auto bytes = static_cast<size_t>(info[0].ToNumber().Int64Value());
    auto file = create_table(bytes);
    if (!file.ok()) {
        return throw_failure(info.Env(), file.failure());
    }
    Napi::Value memory = expose(info.Env(), file.value().get());
    if (info.Env().IsExceptionPending()) {
        return memory;
    }
    const int kept = dup(file.value().get());
    if (kept < 0) {
        return throw_failure(info.Env(), Failure::from_errno("dup"));
    }
    Napi::Object table = Napi::Object::New(info.Env());
    table.Set("descriptor", kept);
    table.Set("memory", memory);
    return table;
}

/* mapTable(descriptor): an ArrayBuffer over a table. */
Napi::Value map(const Napi::CallbackInfo& info) {
    return expose(info.Env(), info[0].ToNumber().Int32Value());
}

/* connectionBytes(descriptor): `{received, unread, written}`. */
Napi::Value count_bytes(const Napi::CallbackInfo& info) {
    auto bytes = connection_bytes(info[0].ToNumber().Int32Value());
    if (!bytes.ok()) {
        return throw_failure(info.Env(), bytes.failure());
    }
    Napi::Object counts = Napi::Object::New(info.Env());
    counts.Set("received", static_cast<double>(bytes.value().received));
    counts.Set("unread", static_cast<double>(bytes.value().unread));
    counts.Set("written", static_cast<double>(bytes.value().written));
    return counts;
}

/* walls(): what the kernel offers, `{landlock, seccomp}`. */
Napi::Value walls(const Napi::CallbackInfo& info) {
    Napi::Object offered = Napi::Object::New(info.Env());
    offered.Set("landlock", landlock_version());
    offered.Set("seccomp", has_system_call_filters());
    return offered;
}

std::vector<std::string> strings(const Napi::Value& value) {
    std::vector<std::string> all;
    const Napi::Array array = value.As<Napi::Array>();
    for (uint32_t i = 0; i < array.Length(); i++) {
        all.push_back(array.Get(i).ToString().Utf8Value());
    }
    return all;
}

/*
 * lockDown({user?, group?, parent, openFiles, threads, readable, builder?}), where builder is
 * {programs, writable, dataBytes, cpuSeconds, fileBytes?}.
 */
Napi::Value lock_down(const Napi::CallbackInfo& info) {
    const Napi::Object options = info[0].As<Napi::Object>();
    const auto number = [&options](const char* name) {
        return options.Get(name).ToNumber().Int64Value();
    };
    PrivilegePlan plan = {};
    if (options.Has("user")) {
        plan.user = User{static_cast<uid_t>(number("user")), static_cast<gid_t>(number("group"))};
    }
    plan.parent = static_cast<pid_t>(number("parent"));
    plan.open_files = static_cast<unsigned long>(number("openFiles"));
    plan.threads = static_cast<unsigned long>(number("threads"));
    const bool builds = options.Has("builder");
    std::vector<std::string> programs;
    std::vector<std::string> writable;
    if (builds) {
        const Napi::Object builder = options.Get("builder").As<Napi::Object>();
        programs = strings(builder.Get("programs"));
        writable = strings(builder.Get("writable"));
        plan.data_bytes =
            static_cast<unsigned long>(builder.Get("dataBytes").ToNumber().Int64Value());
        plan.cpu_seconds =
            static_cast<unsigned long>(builder.Get("cpuSeconds").ToNumber().Int64Value());
        if (builder.Has("fileBytes")) {
            plan.file_bytes =
                static_cast<unsigned long>(builder.Get("fileBytes").ToNumber().Int64Value());
        }
    }
    /* Opened while that is still allowed. */
    auto rules = file_rules(strings(options.Get("readable")), programs, writable);
    if (!rules.ok()) {
        return throw_failure(info.Env(), rules.failure());
    }
    if (Status failed = drop_privileges(plan)) {
        return throw_failure(info.Env(), *failed);
    }
    if (rules.value().valid()) {
        if (Status failed = enforce(rules.value())) {
            return throw_failure(info.Env(), *failed);
        }
    }
    if (Status failed = builds ? filter_system_calls_of_builder() : filter_system_calls()) {
        return throw_failure(info.Env(), *failed);
    }
    return info.Env().Undefined();
}

#ifdef HATCHERY_TEST_HOOKS
/* trySystemCall(number, ...arguments): what it gives, or the negative errno. */
Napi::Value try_system_call(const Napi::CallbackInfo& info) {
    long values[4] = {};
    for (size_t i = 0; i < 4 && i < info.Length(); i++) {
        values[i] = static_cast<long>(info[i].ToNumber().Int64Value());
    }
    const long result = syscall(values[0], values[1], values[2], values[3]);
    return Napi::Number::New(info.Env(), static_cast<double>(result < 0 ? -errno : result));
}
#endif

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
    exports.Set("createTable", Napi::Function::New(env, create));
    exports.Set("mapTable", Napi::Function::New(env, map));
    exports.Set("connectionBytes", Napi::Function::New(env, count_bytes));
    exports.Set("walls", Napi::Function::New(env, walls));
    exports.Set("lockDown", Napi::Function::New(env, lock_down));
#ifdef HATCHERY_TEST_HOOKS
    exports.Set("trySystemCall", Napi::Function::New(env, try_system_call));
#endif
    return exports;
}

}  // namespace
}  // namespace hatchery

static Napi::Object initialise_module(Napi::Env env, Napi::Object exports) {
    return hatchery::initialise(env, exports);
}

NODE_API_MODULE(hatchery_process, initialise_module)
