/* Machines as JavaScript sees them. */
#ifndef HATCHERY_MACHINE_OBJECT_H
#define HATCHERY_MACHINE_OBJECT_H

#include <napi.h>

#include <atomic>
#include <memory>
#include <span>

#include "machine.h"

namespace hatchery {

#ifdef HATCHERY_TEST_HOOKS
/*
 * A method of machines that only a driver's test addon has. Each driver defines the list of its
 * own, in its machine_test_hooks.cc.
 */
struct MachineTestHook {
    const char* name;
    Napi::Value (*call)(const Napi::CallbackInfo& info, Machine& machine);
};
std::span<const MachineTestHook> machine_test_hooks();
#endif

Napi::Object new_machine_object(Napi::Env env, std::unique_ptr<Machine> machine);

/*
 * The wrapper of one machine. While a job runs it, the job owns a reference to this object, and
 * `busy` keeps everything else away from the machine.
 */
class MachineObject : public Napi::ObjectWrap<MachineObject> {
  public:
    static Napi::Function define(Napi::Env env);
    explicit MachineObject(const Napi::CallbackInfo& info);
    ~MachineObject() override;

  private:
    friend class RunJob;
    friend class CaptureJob;
    friend class DestroyJob;

    /* run(reason, bytes | undefined, milliseconds, cpuMilliseconds, where): an exit's number, or 0:
     * it goes on on a thread, and the callback given to onExit gets (error | null, number): 0 where
     * the machine was destroyed meanwhile, and of the result only the processor time is there. */
    Napi::Value run(const Napi::CallbackInfo& info);
    Napi::Value on_exit(const Napi::CallbackInfo& info);
    /* rewind(pageLimit), memoryUse() and destroy(callback(null, pages)) give the number of dirty
     * pages, besides which the result has the used ones; -1 where they are not known, or the
     * machine was not rewound. */
    Napi::Value rewind(const Napi::CallbackInfo& info);
    Napi::Value memory_use(const Napi::CallbackInfo& info);
    Napi::Value destroy(const Napi::CallbackInfo& info);
    /* capture(callback(error, snapshot)) */
    Napi::Value capture(const Napi::CallbackInfo& info);
    /* joinCaptured(): a boolean; see Machine. */
    Napi::Value join_captured(const Napi::CallbackInfo& info);
    Napi::Value crash_reason(const Napi::CallbackInfo& info);
    /* writtenPages(): -1 where no record is kept. */
    Napi::Value written_pages(const Napi::CallbackInfo& info);

    /* Runs the vCPU on the calling thread for `nanoseconds`, or until a bound of the run is met. */
    Result<Exit> run_slice(int64_t nanoseconds);
    /* Throws and returns false where the machine is gone or busy. */
    bool usable(Napi::Env env);
    /* Lays the exit out in the environment's result, payload and logs; returns its number. */
    uint32_t report(Napi::Env env, Exit exit);
    /* The machine is free again; destroys it where that was asked for meanwhile. */
    void job_ended(Napi::Env env);
    void submit_destroy(Napi::Env env, Napi::FunctionReference callback);

    std::unique_ptr<Machine> machine_;
    Napi::FunctionReference exit_callback_;
    bool busy_ = false;
    size_t lane_ = 0;
    std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);
    Napi::FunctionReference destroy_callback_; /* of a destroy that came while busy */
    bool destroy_wanted_ = false;
    int64_t started_ = 0; /* CLOCK_MONOTONIC when `run` was called */
    int64_t entered_ = 0; /* when the guest was first entered */
    int64_t stopped_ = 0; /* when it came back */
    /* Of the run that is under way, all slices together; nanoseconds. */
    int64_t deadline_ = 0;   /* CLOCK_MONOTONIC */
    int64_t cpu_budget_ = 0; /* processor time that it may use */
    int64_t cpu_used_ = 0;

#ifdef HATCHERY_TEST_HOOKS
    /* Calls the hook that its callback data is. */
    Napi::Value call_test_hook(const Napi::CallbackInfo& info);
#endif
};

}  // namespace hatchery

#endif
