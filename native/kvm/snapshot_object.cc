/* Snapshots as JavaScript sees them. */
#include <napi.h>

#include "addon_data.h"
#include "machine_object.h"

namespace hatchery {
namespace {

uint64_t integer(const Napi::Object& object, const char* name) {
    return static_cast<uint64_t>(object.Get(name).ToNumber().Int64Value());
}

RegionPlan region_from(const Napi::Object& given) {
    RegionPlan region;
    region.bytes = integer(given, "bytes");
    const auto placements = given.Get("placements").As<Napi::Array>();
    for (uint32_t i = 0; i < placements.Length(); i++) {
        const Napi::Object one = placements.Get(i).As<Napi::Object>();
        region.placements.push_back(
            {integer(one, "virtualAddress"), integer(one, "physicalAddress"), integer(one, "pages"),
             one.Get("writable").ToBoolean(), one.Get("executable").ToBoolean(),
             one.Get("large").ToBoolean()});
    }
    const auto contents = given.Get("contents").As<Napi::Array>();
    for (uint32_t i = 0; i < contents.Length(); i++) {
        const Napi::Object one = contents.Get(i).As<Napi::Object>();
        auto bytes = one.Get("bytes").As<Napi::Uint8Array>();
        region.contents.push_back(
            {integer(one, "physicalAddress"), {bytes.Data(), bytes.ByteLength()}});
    }
    return region;
}

/* Creates a machine on a runner thread. */
class CreateJob : public Job {
  public:
    CreateJob(Napi::Object holder, std::shared_ptr<Snapshot> snapshot, MachineOptions options,
              Napi::Function callback)
        : holder_(Napi::Persistent(holder)),
          snapshot_(std::move(snapshot)),
          options_(std::move(options)),
          callback_(Napi::Persistent(callback)) {}

    Progress work(bool) override {
        result_.emplace(Machine::create(std::move(snapshot_), options_.keep_log));
        return Progress::kDone;
    }

    void complete(Napi::Env env) override {
        if (!result_->ok()) {
            callback_.Call({failure_to_error(env, result_->failure()).Value()});
            return;
        }
        result_->value()->set_channel(options_.channel);
        callback_.Call({env.Null(), new_machine_object(env, std::move(result_->value()))});
    }

  private:
    Napi::ObjectReference holder_; /* keeps the snapshot's object alive meanwhile */
    std::shared_ptr<Snapshot> snapshot_;
    MachineOptions options_;
    Napi::FunctionReference callback_;
    std::optional<Result<std::unique_ptr<Machine>>> result_;
};

class SnapshotObject : public Napi::ObjectWrap<SnapshotObject> {
  public:
    static Napi::Function define(Napi::Env env) {
        return DefineClass(env, "Snapshot",
                           {InstanceMethod<&SnapshotObject::create_machine>("createMachine"),
                            InstanceMethod<&SnapshotObject::close>("close")});
    }

    /* Takes over the snapshot that the External argument points at. */
    explicit SnapshotObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
        if (info.Length() == 1 && info[0].IsExternal()) {
            snapshot_ = std::move(*info[0].As<Napi::External<std::shared_ptr<Snapshot>>>().Data());
        }
    }

  private:
    /* createMachine({keepLog, channel}, callback(error, machine)) */
    Napi::Value create_machine(const Napi::CallbackInfo& info) {
        if (!snapshot_) {
            return throw_failure(info.Env(), {"createMachine", EBADF});
        }
        const Napi::Object given = info[0].As<Napi::Object>();
        MachineOptions options;
        options.keep_log = given.Get("keepLog").ToBoolean();
        options.channel = integer(given, "channel");
        if (options.channel > snapshot_->memory_bytes() - HATCHERY_CHANNEL_BYTES) {
            return throw_failure(info.Env(), {"createMachine", EINVAL});
        }
        std::unique_ptr<Job> job =
            std::make_unique<CreateJob>(Value(), snapshot_, options, info[1].As<Napi::Function>());
        if (const Status refused = info.Env().GetInstanceData<AddonData>()->upkeep->submit(job)) {
            return throw_failure(info.Env(), *refused);
        }
        return info.Env().Undefined();
    }

    Napi::Value close(const Napi::CallbackInfo& info) {
        snapshot_.reset();
        return info.Env().Undefined();
    }

    std::shared_ptr<Snapshot> snapshot_;
};

}  // namespace

Napi::Function define_snapshot_class(Napi::Env env) {
    return SnapshotObject::define(env);
}

Napi::Object new_snapshot_object(Napi::Env env, std::shared_ptr<Snapshot> snapshot) {
    return env.GetInstanceData<AddonData>()->snapshot_class.New(
        {Napi::External<std::shared_ptr<Snapshot>>::New(env, &snapshot)});
}

Napi::Value load_snapshot(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const Napi::Object given = info[0].As<Napi::Object>();
    LoadPlan plan;
    plan.entry = integer(given, "entry");
    plan.memory = region_from(given.Get("memory").As<Napi::Object>());
    plan.shared = region_from(given.Get("shared").As<Napi::Object>());
    if (!is_sound(plan)) {
        return throw_failure(env, {"load", EINVAL});
    }
    auto device = KvmDevice::shared();
    if (!device.ok()) {
        return throw_failure(env, device.failure());
    }
    auto snapshot = Snapshot::load(device.value(), plan);
    if (!snapshot.ok()) {
        return throw_failure(env, snapshot.failure());
    }
    return new_snapshot_object(env, std::move(snapshot.value()));
}

}  // namespace hatchery
