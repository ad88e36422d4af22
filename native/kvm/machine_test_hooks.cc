/*
 * What only tests may do: leave parts of a rewind out, stop a machine behind the resume stub's
 * XRSTOR, and look at everything that a machine consists of.
 */
#ifdef HATCHERY_TEST_HOOKS

#include <cstring>
#include <vector>

#include "addon_data.h"
#include "ioctl_numbers.h"
#include "machine_object.h"
#include "resume_stub.h"

namespace hatchery {

void Machine::probe_next() {
    set_registers();
    set_registers_next_ = false;
    const uint64_t entry = omitted(kOmitVectorState) ? kBareProbeEntry : kProbeEntry;
    run_->s.regs.regs.rip = HATCHERY_RESUME_ADDRESS + entry;
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

}  // namespace

void MachineObject::add_test_hooks(std::vector<PropertyDescriptor>& properties) {
    properties.push_back(InstanceMethod<&MachineObject::set_omit>("setOmit"));
    properties.push_back(InstanceMethod<&MachineObject::probe_next>("probeNext"));
    properties.push_back(InstanceMethod<&MachineObject::disturb_events>("disturbEvents"));
    properties.push_back(InstanceMethod<&MachineObject::state>("state"));
    properties.push_back(InstanceMethod<&MachineObject::differing_pages>("differingPages"));
}

Napi::Value MachineObject::set_omit(const Napi::CallbackInfo& info) {
    machine_->omit = info[0].As<Napi::Number>().Uint32Value();
    return info.Env().Undefined();
}

Napi::Value MachineObject::probe_next(const Napi::CallbackInfo& info) {
    machine_->probe_next();
    return info.Env().Undefined();
}

Napi::Value MachineObject::disturb_events(const Napi::CallbackInfo& info) {
    if (const Status failed = hatchery::disturb_events(machine_->vcpu())) {
        return throw_failure(info.Env(), *failed);
    }
    return info.Env().Undefined();
}

/* {regs, sregs, events, debugregs, xcrs, xsave, msrs, tables}: each as the kernel lays it out. */
Napi::Value MachineObject::state(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const int vcpu = machine_->vcpu();
    const KvmDevice& device = machine_->snapshot().device();
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
    const Mapping& tables = machine_->snapshot().tables().memory();
    state.Set("tables", copy(env, tables.bytes(), tables.size()));
    return state;
}

/* Numbers of the pages that differ from the snapshot. */
Napi::Value MachineObject::differing_pages(const Napi::CallbackInfo& info) {
    Napi::Array pages = Napi::Array::New(info.Env());
    const Snapshot& snapshot = machine_->snapshot();
    uint32_t found = 0;
    for (size_t offset = 0; offset < snapshot.memory_bytes(); offset += HATCHERY_PAGE_BYTES) {
        if (std::memcmp(machine_->memory() + offset, snapshot.memory() + offset,
                        HATCHERY_PAGE_BYTES) != 0) {
            pages.Set(found++, static_cast<double>(offset / HATCHERY_PAGE_BYTES));
        }
    }
    return pages;
}

}  // namespace hatchery

#endif
