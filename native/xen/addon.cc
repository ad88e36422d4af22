/* The module: what `require('hatchery_xen.node')` gives. src/drivers/xen-native.ts types it. */
#include <napi.h>

#include "../machine/addon_data.h"
#include "../machine/load_plan_object.h"
#include "empty_shells.h"
#include "hypervisor.h"
#include "orphans.h"
#include "pv_snapshot.h"
#include "pvh_snapshot.h"

namespace hatchery {
namespace {

/* probe(): opens what Xen offers to Dom0; `{tscHertz, xenVersion, hasHvm}`, or throws. */
Napi::Value probe(const Napi::CallbackInfo& info) {
    auto hypervisor = Hypervisor::shared();
    if (!hypervisor.ok()) {
        return throw_failure(info.Env(), hypervisor.failure());
    }
    const HypervisorFacts& known = hypervisor.value()->facts();
    Napi::Object facts = Napi::Object::New(info.Env());
    facts.Set("tscHertz", static_cast<double>(known.tsc_hertz));
    facts.Set("xenVersion", known.version);
    facts.Set("hasHvm", known.has_hvm);
    return facts;
}

/* A PVH snapshot from a `NativePlan` that also has `name` and `emptyShells`. */
Result<std::shared_ptr<Snapshot>> load_pvh(Hypervisor& hypervisor, const Napi::Object& given) {
    const LoadPlan plan = load_plan_from(given);
    if (!is_sound(plan, kStubBytes)) {
        return Failure{"load", EINVAL};
    }
    auto layout = GuestLayout::build(plan);
    if (!layout.ok()) {
        return layout.failure();
    }
    std::unique_ptr<EmptyShells::Reservation> shells;
    const size_t count = given.Get("emptyShells").ToNumber().Uint32Value();
    if (count > 0) {
        auto reserved = hypervisor.shells().reserve(layout.value()->shape(), count);
        if (!reserved.ok()) {
            return reserved.failure();
        }
        shells = std::move(reserved.value());
    }
    auto origin = std::make_shared<const PvhOrigin>(
        PvhOrigin{hypervisor, given.Get("name").ToString().Utf8Value(), std::move(layout.value()),
                  std::move(shells)});
    auto snapshot = PvhSnapshot::load(std::move(origin), plan);
    if (!snapshot.ok()) {
        return snapshot.failure();
    }
    return std::shared_ptr<Snapshot>(std::move(snapshot.value()));
}

std::vector<uint8_t> copy_of(const Napi::Value& bytes) {
    if (!bytes.IsTypedArray()) {
        return {};
    }
    const auto array = bytes.As<Napi::Uint8Array>();
    return {array.Data(), array.Data() + array.ByteLength()};
}

/* A PV snapshot from a `XenPlan`: its file, its configuration and how much memory it plans. */
Result<std::shared_ptr<Snapshot>> load_pv(Hypervisor& hypervisor, const Napi::Object& given) {
    const LoadPlan plan = load_plan_from(given);
    if (!is_sound(plan, kStubBytes)) {
        return Failure{"load", EINVAL};
    }
    PvImage image;
    image.name = given.Get("name").ToString().Utf8Value();
    image.file = copy_of(given.Get("file"));
    image.configuration = copy_of(given.Get("configuration"));
    image.memory_bytes = plan.memory.bytes + plan.shared.bytes;
    const size_t shells = given.Get("emptyShells").ToNumber().Uint32Value();
    auto snapshot = PvSnapshot::load(hypervisor, std::move(image), shells);
    if (!snapshot.ok()) {
        return snapshot.failure();
    }
    return std::shared_ptr<Snapshot>(std::move(snapshot.value()));
}

/* load(plan): a cold snapshot; `XenPlan` of src/drivers/xen-native.ts, or throws. */
Napi::Value load(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto hypervisor = Hypervisor::shared();
    if (!hypervisor.ok()) {
        return throw_failure(env, hypervisor.failure());
    }
    const Napi::Object given = info[0].As<Napi::Object>();
    const bool is_pv = given.Get("guestType").ToString().Utf8Value() == "pv";
    auto snapshot =
        is_pv ? load_pv(*hypervisor.value(), given) : load_pvh(*hypervisor.value(), given);
    if (!snapshot.ok()) {
        return throw_failure(env, snapshot.failure());
    }
    return new_snapshot_object(env, std::move(snapshot.value()));
}

class ReapJob : public Job {
  public:
    ReapJob(Hypervisor& hypervisor, Napi::Function callback)
        : hypervisor_(hypervisor), callback_(Napi::Persistent(callback)) {}

    Progress work(bool) override {
        result_.emplace(reap_orphans(hypervisor_));
        return Progress::kDone;
    }

    void complete(Napi::Env env) override {
        if (!result_->ok()) {
            callback_.Call({failure_to_error(env, result_->failure()).Value()});
            return;
        }
        Napi::Object reaped = Napi::Object::New(env);
        reaped.Set("domains", static_cast<double>(result_->value().domains));
        reaped.Set("entries", static_cast<double>(result_->value().entries));
        callback_.Call({env.Null(), reaped});
    }

  private:
    Hypervisor& hypervisor_;
    Napi::FunctionReference callback_;
    std::optional<Result<Reaped>> result_;
};

/* reapOrphans(callback(error, {domains, entries})): see orphans.h. */
Napi::Value reap(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto hypervisor = Hypervisor::shared();
    if (!hypervisor.ok()) {
        return throw_failure(env, hypervisor.failure());
    }
    std::unique_ptr<Job> job =
        std::make_unique<ReapJob>(*hypervisor.value(), info[0].As<Napi::Function>());
    if (const Status refused = env.GetInstanceData<AddonData>()->upkeep->submit(job)) {
        return throw_failure(env, *refused);
    }
    return env.Undefined();
}

}  // namespace
}  // namespace hatchery

static Napi::Object initialise(Napi::Env env, Napi::Object exports) {
    hatchery::export_machines(env, exports, hatchery::kStubBytes);
    exports.Set("probe", Napi::Function::New(env, hatchery::probe));
    exports.Set("load", Napi::Function::New(env, hatchery::load));
    exports.Set("reapOrphans", Napi::Function::New(env, hatchery::reap));
    return exports;
}

NODE_API_MODULE(hatchery_xen, initialise)
