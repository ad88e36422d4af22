/*
 * What only tests may do: leave parts of a rewind out, stop a machine behind the resume stub's
 * XRSTOR, and look at everything that a machine consists of.
 */
#ifdef HATCHERY_TEST_HOOKS

#include <cstring>
#include <vector>

#include "../machine/addon_data.h"
#include "../machine/machine_object.h"
#include "ioctl_numbers.h"
#include "kvm_machine.h"
#include "resume_stub.h"

namespace hatchery {

Status KvmMachine::probe_next() {
    auto run = use_run();
    if (!run.ok()) {
        return run.failure();
    }
    set_registers(*run.value());
    set_registers_next_ = false;
    const uint64_t entry = omitted(kOmitVectorState) ? kBareProbeEntry : kProbeEntry;
    run.value()->s.regs.regs.rip = HATCHERY_RESUME_ADDRESS + entry;
    return kSuccess;
}

namespace {

Napi::Uint8Array copy(Napi::Env env, const void* bytes, size_t count) {
    auto array = Napi::Uint8Array::New(env, count);
    std::memcpy(array.Data(), bytes, count);
    return array;
}

/* An exception that waits to be delivered: what a rewind must not leave behind. */
Status disturb_events(int vcpu) {
    constexpr uint8_t kInvalidOpcode = 6;
    struct kvm_vcpu_events events = {};
    events.exception.injected = 1;
    events.exception.nr = kInvalidOpcode;
    auto set = HATCHERY_IOCTL(vcpu, KVM_SET_VCPU_EVENTS, &events);
    return set.ok() ? kSuccess : Status(set.failure());
}

/* MSRs that KVM keeps for a vCPU and that a guest might wish to change. */
constexpr uint32_t kWatchedMsrs[] = {0xc0000080, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
                                     0xc0000100, 0xc0000101, 0xc0000102, 0x174,      0x175,
                                     0x176,      0x277,      0x1d9};

KvmMachine& kvm(Machine& machine) {
    return static_cast<KvmMachine&>(machine);
}

Napi::Value set_omit(const Napi::CallbackInfo& info, Machine& machine) {
    kvm(machine).omit = info[0].As<Napi::Number>().Uint32Value();
    return info.Env().Undefined();
}

Napi::Value probe_next(const Napi::CallbackInfo& info, Machine& machine) {
    if (const Status failed = kvm(machine).probe_next()) {
        return throw_failure(info.Env(), *failed);
    }
    return info.Env().Undefined();
}

Napi::Value disturb_events(const Napi::CallbackInfo& info, Machine& machine) {
    if (const Status failed = disturb_events(kvm(machine).vcpu())) {
        return throw_failure(info.Env(), *failed);
    }
    return info.Env().Undefined();
}

/* {regs, sregs, events, debugregs, xcrs, xsave, msrs, tables}: each as the kernel lays it out. */
Napi::Value state(const Napi::CallbackInfo& info, Machine& machine) {
    const Napi::Env env = info.Env();
    const int vcpu = kvm(machine).vcpu();
    const KvmDevice& device = kvm(machine).snapshot().device();
    struct kvm_regs regs = {};
    struct kvm_sregs sregs = {};
    struct kvm_vcpu_events events = {};
    struct kvm_debugregs debugregs = {};
    struct kvm_xcrs xcrs = {};
    std::vector<uint8_t> xsave(device.xsave_bytes());
    MsrList<std::size(kWatchedMsrs)> msrs;
    for (size_t i = 0; i < std::size(kWatchedMsrs); i++) {
        msrs.entries[i].index = kWatchedMsrs[i];
    }
    Napi::Object state = Napi::Object::New(env);
    const auto take = [&](const char* name, unsigned long request, void* structure, size_t bytes) {
        auto got = kvm_ioctl(vcpu, request, structure, name);
        if (got.ok()) {
            state.Set(name, copy(env, structure, bytes));
        }
    };
    take("regs", KVM_GET_REGS, &regs, sizeof regs);
    take("sregs", KVM_GET_SREGS, &sregs, sizeof sregs);
    take("events", KVM_GET_VCPU_EVENTS, &events, sizeof events);
    take("debugregs", KVM_GET_DEBUGREGS, &debugregs, sizeof debugregs);
    take("xcrs", KVM_GET_XCRS, &xcrs, sizeof xcrs);
    take("xsave", kGetXsave2, xsave.data(), xsave.size());
    take("msrs", kGetMsrs, &msrs, sizeof msrs);
    const Mapping& tables = kvm(machine).snapshot().tables().memory();
    state.Set("tables", copy(env, tables.bytes(), tables.size()));
    return state;
}

/* Numbers of the pages that differ from the snapshot. */
Napi::Value differing_pages(const Napi::CallbackInfo& info, Machine& machine) {
    Napi::Array pages = Napi::Array::New(info.Env());
    const KvmSnapshot& snapshot = kvm(machine).snapshot();
    uint32_t found = 0;
    for (size_t offset = 0; offset < snapshot.memory_bytes(); offset += HATCHERY_PAGE_BYTES) {
        if (std::memcmp(kvm(machine).memory() + offset, snapshot.memory() + offset,
                        HATCHERY_PAGE_BYTES) != 0) {
            pages.Set(found++, static_cast<double>(offset / HATCHERY_PAGE_BYTES));
        }
    }
    return pages;
}

constexpr MachineTestHook kHooks[] = {
    {"setOmit", set_omit}, {"probeNext", probe_next},           {"disturbEvents", disturb_events},
    {"state", state},      {"differingPages", differing_pages},
};

}  // namespace

std::span<const MachineTestHook> machine_test_hooks() {
    return kHooks;
}

}  // namespace hatchery

#endif
