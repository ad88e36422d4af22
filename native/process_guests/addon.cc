/* The module: what `require('hatchery_process_guests.node')` gives, typed by
 * src/drivers/process-guests-native.ts. */
#include <linux/seccomp.h>
#include <napi.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#include "../machine/addon_data.h"
#include "../machine/clock.h"
#include "../machine/load_plan_object.h"
#include "../machine/machine_object.h"
#include "process_snapshot.h"

namespace hatchery {

#ifdef HATCHERY_TEST_HOOKS
std::span<const MachineTestHook> machine_test_hooks() {
    return {};
}
#endif

namespace {

/* What an environment keeps open. */
struct Open {
    std::shared_ptr<const Spawner> spawner;
    bool notifies;
};

bool has_action(uint32_t action) {
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* Frequency of the time-stamp counter, by the monotonic clock, once for the process. */
double tsc_hertz() {
    static const double measured = [] {
        constexpr int64_t kNanoseconds = 20'000'000;
        const int64_t start = monotonic_now();
        const uint64_t first = __rdtsc();
        while (monotonic_now() - start < kNanoseconds) {
            __builtin_ia32_pause();
        }
        const uint64_t last = __rdtsc();
        return static_cast<double>(last - first) * 1e9 /
               static_cast<double>(monotonic_now() - start);
    }();
    return measured;
}

std::shared_ptr<const Open> opened(Napi::Env env) {
    return std::static_pointer_cast<const Open>(env.GetInstanceData<AddonData>()->hypervisor);
}

/* probe(spawner, launcher): starts the spawner where none lives; `{tscHertz, grantsForks}`, or throws.
 */
Napi::Value probe(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!has_action(SECCOMP_RET_KILL_PROCESS)) {
        return throw_failure(env, {"seccomp", ENOSYS});
    }
    auto spawner = Spawner::shared(
        {info[0].ToString().Utf8Value(), info[1].ToString().Utf8Value()});
    if (!spawner.ok()) {
        return throw_failure(env, spawner.failure());
    }
    auto open = std::make_shared<Open>();
    open->spawner = spawner.value();
    open->notifies = has_action(SECCOMP_RET_USER_NOTIF);
    env.GetInstanceData<AddonData>()->hypervisor = open;
    Napi::Object facts = Napi::Object::New(env);
    facts.Set("tscHertz", tsc_hertz());
    facts.Set("grantsForks", open->notifies);
    return facts;
}

/* spawnerLives(): of the one that the last probe() gave. */
Napi::Value spawner_lives(const Napi::CallbackInfo& info) {
    const auto open = opened(info.Env());
    return Napi::Boolean::New(info.Env(), open && open->spawner->lives());
}

/* lifeline(): a descriptor, the caller's to close, whose file ends when the spawner does; or throws. */
Napi::Value lifeline(const Napi::CallbackInfo& info) {
    const auto open = opened(info.Env());
    if (!open) {
        return throw_failure(info.Env(), Spawner::kGone);
    }
    auto another = open->spawner->lifeline();
    if (!another.ok()) {
        return throw_failure(info.Env(), another.failure());
    }
    return Napi::Number::New(info.Env(), another.value().release());
}

/* load(plan): a cold snapshot; `NativePlan` of src/drivers/native.ts, or throws. */
Napi::Value load(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const auto open = opened(env);
    const LoadPlan plan = load_plan_from(info[0].As<Napi::Object>());
    if (!open || !is_sound(plan, 0)) {
        return throw_failure(env, {"load", EINVAL});
    }
    auto snapshot = ColdSnapshot::load(open->spawner, plan, open->notifies);
    if (!snapshot.ok()) {
        return throw_failure(env, snapshot.failure());
    }
    return new_snapshot_object(env, std::move(snapshot.value()));
}

}  // namespace
}  // namespace hatchery

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
    hatchery::export_machines(env, exports, 0);
    exports.Set("probe", Napi::Function::New(env, hatchery::probe));
    exports.Set("spawnerLives", Napi::Function::New(env, hatchery::spawner_lives));
    exports.Set("lifeline", Napi::Function::New(env, hatchery::lifeline));
    exports.Set("load", Napi::Function::New(env, hatchery::load));
    return exports;
}

NODE_API_MODULE(hatchery_process_guests, initialise)
