/* The module: what `require('hatchery_kvm.node')` gives. src/drivers/kvm-native.ts types it. */
#include <napi.h>

#include "../machine/addon_data.h"
#include "../machine/load_plan_object.h"
#include "kvm_snapshot.h"
#include "resume_stub.h"

namespace hatchery {
namespace {

/* probe(): opens /dev/kvm and tries a machine; `{tscHertz, reportsXsave, hasLargePages}`, or throws. */
Napi::Value probe(const Napi::CallbackInfo& info) {
    auto device = KvmDevice::shared();
    if (!device.ok()) {
        return throw_failure(info.Env(), device.failure());
    }
    info.Env().GetInstanceData<AddonData>()->hypervisor = device.value();
    Napi::Object facts = Napi::Object::New(info.Env());
    facts.Set("tscHertz", static_cast<double>(device.value()->tsc_hertz()));
    facts.Set("reportsXsave", device.value()->reports_xsave());
    facts.Set("hasLargePages", device.value()->pagemap() != nullptr);
    return facts;
}

/* load(plan): a cold snapshot; `NativePlan` of src/drivers/native.ts, or throws. */
Napi::Value load(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const LoadPlan plan = load_plan_from(info[0].As<Napi::Object>());
    if (!is_sound(plan, kResumeBytes)) {
        return throw_failure(env, {"load", EINVAL});
    }
    auto device = KvmDevice::shared();
    if (!device.ok()) {
        return throw_failure(env, device.failure());
    }
    auto snapshot = KvmSnapshot::load(device.value(), plan);
    if (!snapshot.ok()) {
        return throw_failure(env, snapshot.failure());
    }
    return new_snapshot_object(env, std::move(snapshot.value()));
}

}  // namespace
}  // namespace hatchery

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
    hatchery::export_machines(env, exports, hatchery::kResumeBytes);
    exports.Set("probe", Napi::Function::New(env, hatchery::probe));
    exports.Set("load", Napi::Function::New(env, hatchery::load));
    return exports;
}

NODE_API_MODULE(hatchery_kvm, initialise)
