/* Snapshots as JavaScript sees them. */
#include <napi.h>

#include "addon_data.h"
#include "load_plan_object.h"
#include "machine_object.h"

namespace hatchery {
namespace {

/* Creates a machine on a runner thread. */
class CreateJob : public Job {
  public:
    CreateJob(Napi::Object holder, std::shared_ptr<Snapshot> snapshot, bool keep_log,
              Napi::Function callback)
        : holder_(Napi::Persistent(holder)),
          snapshot_(std::move(snapshot)),
          keep_log_(keep_log),
          callback_(Napi::Persistent(callback)) {}

    Progress work(bool) override {
        result_.emplace(snapshot_->create_machine(keep_log_));
        return Progress::kDone;
    }

    void complete(Napi::Env env) override {
        if (!result_->ok()) {
            callback_.Call({failure_to_error(env, result_->failure()).Value()});
            return;
        }
        callback_.Call({env.Null(), new_machine_object(env, std::move(result_->value()))});
    }

  private:
    Napi::ObjectReference holder_; /* keeps the snapshot's object alive meanwhile */
    std::shared_ptr<Snapshot> snapshot_;
    const bool keep_log_;
    Napi::FunctionReference callback_;
    std::optional<Result<std::unique_ptr<Machine>>> result_;
};

class SnapshotObject : public Napi::ObjectWrap<SnapshotObject> {
  public:
    static Napi::Function define(Napi::Env env) {
        return DefineClass(env, "Snapshot",
                           {InstanceMethod<&SnapshotObject::create_machine>("createMachine"),
                            InstanceMethod<&SnapshotObject::configure>("configure"),
                            InstanceMethod<&SnapshotObject::close>("close")});
    }

    /* Takes over the snapshot that the External argument points at. */
    explicit SnapshotObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
        if (info.Length() == 1 && info[0].IsExternal()) {
            snapshot_ = std::move(*info[0].As<Napi::External<std::shared_ptr<Snapshot>>>().Data());
        }
    }

  private:
    /* createMachine({keepLog}, callback(error, machine)) */
    Napi::Value create_machine(const Napi::CallbackInfo& info) {
        if (!snapshot_) {
            return throw_failure(info.Env(), {"createMachine", EBADF});
        }
        const bool keep_log = info[0].As<Napi::Object>().Get("keepLog").ToBoolean();
        std::unique_ptr<Job> job =
            std::make_unique<CreateJob>(Value(), snapshot_, keep_log, info[1].As<Napi::Function>());
        if (const Status refused = info.Env().GetInstanceData<AddonData>()->upkeep->submit(job)) {
            return throw_failure(info.Env(), *refused);
        }
        return info.Env().Undefined();
    }

    /* configure(contents): a snapshot; `Region.contents` of src/drivers/layout.ts, or throws. */
    Napi::Value configure(const Napi::CallbackInfo& info) {
        if (!snapshot_) {
            return throw_failure(info.Env(), {"configure", EBADF});
        }
        auto configured = snapshot_->configure(contents_from(info[0].As<Napi::Array>()));
        if (!configured.ok()) {
            return throw_failure(info.Env(), configured.failure());
        }
        return new_snapshot_object(info.Env(), std::move(configured.value()));
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

}  // namespace hatchery
