#include "machine_object.h"

#include <chrono>
#include <thread>

#include "addon_data.h"
#include "clock.h"

namespace hatchery {
namespace {

/* How long a vCPU may run where others wait: on the JavaScript thread, or in a lane. */
constexpr int64_t kShortSliceNanoseconds = 1000000;
/* How often a run on a thread of its own looks whether it was cancelled. */
constexpr int64_t kThreadSliceNanoseconds = 20000000;
/*
 * How long it sleeps between two slices. On kvm-pvm the kernel's workers do not get at a processor
 * that runs a vCPU without a pause: making another machine then waits in synchronize_srcu until the
 * guest ends (seen as 300 ms where it takes 5, in test/fabric/limits.test.ts).
 */
constexpr auto kBreath = std::chrono::microseconds(200);
/* A slice's least, for a guest whose processor time is nearly used up: the watchdog's tick. */
constexpr int64_t kLeastSliceNanoseconds = 1000000;

/* Where a run starts; `WHERE` of src/drivers/native.ts. */
enum class Where : uint32_t { kInline, kLane, kThread };

double microseconds(int64_t nanoseconds) {
    return static_cast<double>(nanoseconds) / 1000;
}

/* From milliseconds; what is too long for any run, infinity too, is some weeks. */
int64_t nanoseconds(double milliseconds) {
    constexpr double kMostMilliseconds = 4e9;
    constexpr double kNanosecondsInMillisecond = 1e6;
    if (!(milliseconds > 0)) {
        return 0;
    }
    return static_cast<int64_t>(std::min(milliseconds, kMostMilliseconds) *
                                kNanosecondsInMillisecond);
}

/* Lays out what a machine had in use. */
Napi::Value report_use(Napi::Env env, const std::optional<MemoryUse>& use) {
    if (!use) {
        return Napi::Number::New(env, -1);
    }
    env.GetInstanceData<AddonData>()->result_values[kUsedPages] = static_cast<double>(use->used);
    return Napi::Number::New(env, static_cast<double>(use->dirty));
}

}  // namespace

/* Runs a machine on a runner thread until it exits, its time is over, or it is cancelled. */
class RunJob : public Job {
  public:
    RunJob(MachineObject* object, const Runners* runners)
        : object_(object),
          holder_(Napi::Persistent(object->Value())),
          cancelled_(object->cancelled_),
          runners_(runners) {}

    Progress work(bool in_lane) override {
        result_.emplace(
            object_->run_slice(in_lane ? kShortSliceNanoseconds : kThreadSliceNanoseconds));
        const bool interrupted = result_->ok() && result_->value() == Exit::kInterrupted;
        const bool may_go_on =
            object_->stopped_ < object_->deadline_ && !*cancelled_ && !runners_->stopping();
        if (!interrupted || !may_go_on) {
            return Progress::kDone;
        }
        if (!in_lane) {
            std::this_thread::sleep_for(kBreath);
        }
        return Progress::kUnfinished;
    }

    void complete(Napi::Env env) override {
        object_->job_ended(env);
        if (!result_->ok()) {
            object_->exit_callback_.Call({failure_to_error(env, result_->failure()).Value()});
            return;
        }
        /* Also of a run that its machine's end has cut off. */
        env.GetInstanceData<AddonData>()->result_values[kCpuMicroseconds] =
            microseconds(object_->cpu_used_);
        const uint32_t code = object_->machine_ ? object_->report(env, result_->value()) : 0;
        object_->exit_callback_.Call({env.Null(), Napi::Number::New(env, code)});
    }

  private:
    MachineObject* object_;
    Napi::ObjectReference holder_;
    std::shared_ptr<std::atomic<bool>> cancelled_;
    const Runners* runners_;
    std::optional<Result<Exit>> result_;
};

class CaptureJob : public Job {
  public:
    CaptureJob(MachineObject* object, Napi::Function callback)
        : object_(object),
          holder_(Napi::Persistent(object->Value())),
          callback_(Napi::Persistent(callback)) {}

    Progress work(bool) override {
        result_.emplace(object_->machine_->capture());
        return Progress::kDone;
    }

    void complete(Napi::Env env) override {
        object_->job_ended(env);
        if (!result_->ok()) {
            callback_.Call({failure_to_error(env, result_->failure()).Value()});
            return;
        }
        callback_.Call({env.Null(), new_snapshot_object(env, std::move(result_->value()))});
    }

  private:
    MachineObject* object_;
    Napi::ObjectReference holder_;
    Napi::FunctionReference callback_;
    std::optional<Result<std::shared_ptr<Snapshot>>> result_;
};

/* Ends a machine on a runner thread: closing a VM takes the kernel some hundred microseconds. */
class DestroyJob : public Job {
  public:
    DestroyJob(std::unique_ptr<Machine> machine, Napi::FunctionReference callback)
        : machine_(std::move(machine)), callback_(std::move(callback)) {}

    Progress work(bool) override {
        if (machine_) {
            /* It goes in any case; what cannot be found out is not known. */
            use_ = machine_->finish();
        }
        machine_.reset();
        return Progress::kDone;
    }

    void complete(Napi::Env env) override {
        if (!callback_.IsEmpty()) {
            callback_.Call({env.Null(), report_use(env, use_)});
        }
    }

  private:
    std::unique_ptr<Machine> machine_;
    Napi::FunctionReference callback_;
    std::optional<MemoryUse> use_;
};

Napi::Function MachineObject::define(Napi::Env env) {
    std::vector<PropertyDescriptor> properties = {
        InstanceMethod<&MachineObject::run>("run"),
        InstanceMethod<&MachineObject::on_exit>("onExit"),
        InstanceMethod<&MachineObject::rewind>("rewind"),
        InstanceMethod<&MachineObject::capture>("capture"),
        InstanceMethod<&MachineObject::join_captured>("joinCaptured"),
        InstanceMethod<&MachineObject::destroy>("destroy"),
        InstanceMethod<&MachineObject::crash_reason>("crashReason"),
        InstanceMethod<&MachineObject::written_pages>("writtenPages"),
        InstanceMethod<&MachineObject::memory_use>("memoryUse"),
    };
#ifdef HATCHERY_TEST_HOOKS
    for (const MachineTestHook& hook : machine_test_hooks()) {
        properties.push_back(InstanceMethod<&MachineObject::call_test_hook>(
            hook.name, napi_default, const_cast<MachineTestHook*>(&hook)));
    }
#endif
    return DefineClass(env, "Machine", properties);
}

MachineObject::MachineObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    static std::atomic<size_t> machines{0};
    lane_ = machines.fetch_add(1, std::memory_order_relaxed);
    if (info.Length() == 1 && info[0].IsExternal()) {
        machine_ = std::move(*info[0].As<Napi::External<std::unique_ptr<Machine>>>().Data());
    }
}

/* Garbage-collected without destroy, or the environment went away: freed here. */
MachineObject::~MachineObject() = default;

bool MachineObject::usable(Napi::Env env) {
    if (!machine_ || destroy_wanted_) {
        throw_failure(env, {"machine", EBADF});
        return false;
    }
    if (busy_) {
        throw_failure(env, {"machine", EBUSY});
        return false;
    }
    return true;
}

Napi::Value MachineObject::run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!usable(env)) {
        return env.Undefined();
    }
    started_ = monotonic_now();
    const auto reason = info[0].As<Napi::Number>().Uint32Value();
    std::span<const uint8_t> bytes;
    if (info[1].IsTypedArray()) {
        auto given = info[1].As<Napi::Uint8Array>();
        bytes = {given.Data(), given.ByteLength()};
    }
    deadline_ = started_ + nanoseconds(info[2].As<Napi::Number>().DoubleValue());
    cpu_budget_ = nanoseconds(info[3].As<Napi::Number>().DoubleValue());
    cpu_used_ = 0;
    const auto where = static_cast<Where>(info[4].As<Napi::Number>().Uint32Value());
    const Status failed =
        reason == 0 ? machine_->hand_over_boot()
                    : machine_->hand_over(static_cast<enum hatchery_resume>(reason), bytes);
    if (failed) {
        return throw_failure(env, *failed);
    }
    entered_ = 0;
    if (where == Where::kInline) {
        auto result = run_slice(kShortSliceNanoseconds);
        if (!result.ok()) {
            return throw_failure(env, result.failure());
        }
        if (result.value() != Exit::kInterrupted || stopped_ >= deadline_) {
            return Napi::Number::New(env, report(env, result.value()));
        }
    }
    busy_ = true;
    Runners* runners = env.GetInstanceData<AddonData>()->runners.get();
    std::unique_ptr<Job> job = std::make_unique<RunJob>(this, runners);
    const Status refused =
        where == Where::kLane ? runners->submit_to_lane(lane_, job) : runners->submit(job);
    if (refused) {
        busy_ = false;
        return throw_failure(env, *refused);
    }
    return Napi::Number::New(env, 0);
}

/*
 * The processor's clock decides, not the wall's: a guest that waits for a processor is not charged.
 * Nothing tells when a thread has used so much processor time, so a slice is no longer than what is
 * left of it, which it can use up at the soonest then. A short slice is charged with all its time,
 * but for what it was late: reading the clock twice would cost a usual request one percent and a
 * half.
 */
Result<Exit> MachineObject::run_slice(int64_t nanoseconds) {
    const int64_t now = monotonic_now();
    if (entered_ == 0) {
        entered_ = now;
    }
    const int64_t left = std::max(cpu_budget_ - cpu_used_, kLeastSliceNanoseconds);
    const bool is_short = nanoseconds <= kShortSliceNanoseconds;
    const int64_t cpu_before = is_short ? 0 : machine_->cpu_now();
    auto result = machine_->run(std::min(deadline_, now + std::min(nanoseconds, left)));
    stopped_ = monotonic_now();
    cpu_used_ +=
        is_short ? std::min(stopped_ - now, nanoseconds) : machine_->cpu_now() - cpu_before;
    if (result.ok() && result.value() == Exit::kInterrupted && cpu_used_ >= cpu_budget_ &&
        stopped_ < deadline_) {
        return Exit::kCpuSpent;
    }
    return result;
}

uint32_t MachineObject::report(Napi::Env env, Exit exit) {
    AddonData* data = env.GetInstanceData<AddonData>();
    double* result = data->result_values;
    const bool stopped_by_guest = exit != Exit::kInterrupted && exit != Exit::kCpuSpent;
    if (exit == Exit::kRespond) {
        machine_->teach_snapshot();
    }
    const uint32_t payload = stopped_by_guest ? machine_->response_bytes() : 0;
    const uint32_t logs = stopped_by_guest ? machine_->log_bytes() : 0;
    machine_->read_channel(HATCHERY_RESPONSE_OFFSET, {data->payload_bytes, payload});
    machine_->read_channel(HATCHERY_LOG_OFFSET, {data->log_bytes, logs});
    result[kPayloadBytes] = payload;
    result[kLogBytes] = logs;
    result[kSpawnMicroseconds] = microseconds(entered_ - started_);
    result[kGuestMicroseconds] = microseconds(stopped_ - entered_);
    result[kCpuMicroseconds] = microseconds(cpu_used_);
    if (exit == Exit::kCrash) {
        const Crash& crash = machine_->crash();
        result[kHasRegisters] = crash.has_registers;
        result[kInstructionPointer] = static_cast<double>(crash.instruction_pointer);
        result[kStackPointer] = static_cast<double>(crash.stack_pointer);
    }
    return static_cast<uint32_t>(exit);
}

Napi::Value MachineObject::on_exit(const Napi::CallbackInfo& info) {
    exit_callback_ = Napi::Persistent(info[0].As<Napi::Function>());
    return info.Env().Undefined();
}

Napi::Value MachineObject::rewind(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!usable(env)) {
        return env.Undefined();
    }
    auto use = machine_->rewind(static_cast<size_t>(info[0].As<Napi::Number>().Int64Value()));
    return use.ok() ? report_use(env, use.value()) : throw_failure(env, use.failure());
}

Napi::Value MachineObject::memory_use(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!usable(env)) {
        return env.Undefined();
    }
    auto use = machine_->memory_use(Written::kAll);
    return use.ok() ? report_use(env, use.value()) : throw_failure(env, use.failure());
}

Napi::Value MachineObject::capture(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!usable(env)) {
        return env.Undefined();
    }
    std::unique_ptr<Job> job = std::make_unique<CaptureJob>(this, info[0].As<Napi::Function>());
    if (const Status refused = env.GetInstanceData<AddonData>()->upkeep->submit(job)) {
        return throw_failure(env, *refused);
    }
    busy_ = true;
    return env.Undefined();
}

Napi::Value MachineObject::join_captured(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!usable(env)) {
        return env.Undefined();
    }
    auto joined = machine_->join_captured();
    return joined.ok() ? Napi::Value(Napi::Boolean::New(env, joined.value()))
                       : throw_failure(env, joined.failure());
}

Napi::Value MachineObject::destroy(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    *cancelled_ = true;
    Napi::FunctionReference callback = Napi::Persistent(info[0].As<Napi::Function>());
    if (busy_) {
        destroy_wanted_ = true;
        destroy_callback_ = std::move(callback);
    } else {
        submit_destroy(env, std::move(callback));
    }
    return env.Undefined();
}

void MachineObject::job_ended(Napi::Env env) {
    busy_ = false;
    if (destroy_wanted_) {
        submit_destroy(env, std::move(destroy_callback_));
    }
}

void MachineObject::submit_destroy(Napi::Env env, Napi::FunctionReference callback) {
    std::unique_ptr<Job> job =
        std::make_unique<DestroyJob>(std::move(machine_), std::move(callback));
    if (env.GetInstanceData<AddonData>()->upkeep->submit(job)) {
        /* No thread can be had; it must not stay for that. */
        job->work(false);
        job->complete(env);
    }
}

Napi::Value MachineObject::crash_reason(const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), machine_ ? machine_->crash().reason : std::string());
}

Napi::Value MachineObject::written_pages(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!usable(env)) {
        return env.Undefined();
    }
    auto pages = machine_->written_pages();
    if (!pages.ok()) {
        return throw_failure(env, pages.failure());
    }
    return Napi::Number::New(env, static_cast<double>(pages.value()));
}

#ifdef HATCHERY_TEST_HOOKS
Napi::Value MachineObject::call_test_hook(const Napi::CallbackInfo& info) {
    if (!usable(info.Env())) {
        return info.Env().Undefined();
    }
    return static_cast<const MachineTestHook*>(info.Data())->call(info, *machine_);
}
#endif

Napi::Function define_machine_class(Napi::Env env) {
    return MachineObject::define(env);
}

Napi::Object new_machine_object(Napi::Env env, std::unique_ptr<Machine> machine) {
    return env.GetInstanceData<AddonData>()->machine_class.New(
        {Napi::External<std::unique_ptr<Machine>>::New(env, &machine)});
}

}  // namespace hatchery
