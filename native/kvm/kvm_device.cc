#include "kvm_device.h"

#include <errno.h>
#include <fcntl.h>

#include <mutex>

#include "ioctl_numbers.h"

namespace hatchery {

namespace {

constexpr unsigned kCpuidEntries = 256;

struct RequiredCapability {
    unsigned number;
    int at_least;
    const char* name;
};

constexpr RequiredCapability kRequired[] = {
    {KVM_CAP_USER_MEMORY, 1, "KVM_CAP_USER_MEMORY"},
    {KVM_CAP_READONLY_MEM, 1, "KVM_CAP_READONLY_MEM"},
    {KVM_CAP_IMMEDIATE_EXIT, 1, "KVM_CAP_IMMEDIATE_EXIT"},
    {KVM_CAP_SYNC_REGS, KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS,
     "KVM_CAP_SYNC_REGS"},
    {KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE,
     "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2"},
    {KVM_CAP_XSAVE, 1, "KVM_CAP_XSAVE"},
};

}  // namespace

Result<std::shared_ptr<const KvmDevice>> KvmDevice::open() {
    auto device = std::make_shared<KvmDevice>();
    constexpr const char* kOpen = "open(/dev/kvm)";
    device->descriptor_ =
        Descriptor(attempt(kOpen, [] { return ::open("/dev/kvm", O_RDWR | O_CLOEXEC); }));
    if (!device->descriptor_.valid()) {
        return Failure::from_errno(kOpen);
    }
    const int kvm = device->descriptor();
    auto version = HATCHERY_IOCTL(kvm, KVM_GET_API_VERSION, 0ul);
    if (!version.ok()) {
        return version.failure();
    }
    if (version.value() != KVM_API_VERSION) {
        return Failure{"KVM_GET_API_VERSION", ENOTSUP};
    }
    for (const RequiredCapability& required : kRequired) {
        auto found = kvm_ioctl(kvm, KVM_CHECK_EXTENSION, required.number, required.name);
        if (!found.ok()) {
            return found.failure();
        }
        if ((found.value() & required.at_least) != required.at_least) {
            return Failure{required.name, ENOTSUP};
        }
    }
    auto run_bytes = HATCHERY_IOCTL(kvm, KVM_GET_VCPU_MMAP_SIZE, 0ul);
    if (!run_bytes.ok()) {
        return run_bytes.failure();
    }
    device->run_bytes_ = static_cast<size_t>(run_bytes.value());
    auto xsave_bytes = kvm_ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2, "KVM_CAP_XSAVE2");
    const int legacy = static_cast<int>(kLegacyXsaveBytes);
    device->xsave_bytes_ = static_cast<size_t>(
        xsave_bytes.ok() && xsave_bytes.value() > legacy ? xsave_bytes.value() : legacy);
    auto pagemap = Pagemap::open();
    if (!pagemap.ok()) {
        return pagemap.failure();
    }
    device->pagemap_ = std::move(pagemap.value());
    if (Status failed = device->load_cpuid()) {
        return *failed;
    }
    if (Status failed = device->try_machine()) {
        return *failed;
    }
    return std::shared_ptr<const KvmDevice>(std::move(device));
}

Result<std::shared_ptr<const KvmDevice>> KvmDevice::shared() {
    static std::mutex mutex;
    static std::weak_ptr<const KvmDevice> opened;
    const std::lock_guard lock(mutex);
    if (auto device = opened.lock()) {
        return device;
    }
    auto device = open();
    if (device.ok()) {
        opened = device.value();
    }
    return device;
}

Status KvmDevice::load_cpuid() {
    const size_t bytes = kArrayHeaderBytes + kCpuidEntries * sizeof(struct kvm_cpuid_entry2);
    cpuid_storage_.resize(bytes / sizeof(uint64_t));
    cpuid_ = reinterpret_cast<struct kvm_cpuid2*>(cpuid_storage_.data());
    cpuid_->nent = kCpuidEntries;
    auto supported = kvm_ioctl(descriptor(), kGetSupportedCpuid, cpuid_, "KVM_GET_SUPPORTED_CPUID");
    if (!supported.ok()) {
        return supported.failure();
    }
    const auto* entries = reinterpret_cast<const struct kvm_cpuid_entry2*>(
        reinterpret_cast<const uint8_t*>(cpuid_) + kArrayHeaderBytes);
    constexpr uint32_t kXsaveBit = 1u << 26;
    /* x87, SSE and AVX: what a guest may use, and so what a rewind has to put back. */
    constexpr uint64_t kGuestFeatures = 0x7;
    for (uint32_t i = 0; i < cpuid_->nent; i++) {
        const struct kvm_cpuid_entry2& entry = entries[i];
        if (entry.function == 1) {
            reports_xsave_ = (entry.ecx & kXsaveBit) != 0;
        }
        if (entry.function == 0xd && entry.index == 0) {
            guest_xcr0_ = (static_cast<uint64_t>(entry.edx) << 32 | entry.eax) & kGuestFeatures;
        }
    }
    return kSuccess;
}

Status KvmDevice::try_machine() {
    auto machine = HATCHERY_IOCTL(descriptor(), KVM_CREATE_VM, 0ul);
    if (!machine.ok()) {
        return machine.failure();
    }
    const Descriptor machine_owner(machine.value());
    auto vcpu = HATCHERY_IOCTL(machine.value(), KVM_CREATE_VCPU, 0ul);
    if (!vcpu.ok()) {
        return vcpu.failure();
    }
    const Descriptor vcpu_owner(vcpu.value());
    auto kilohertz = HATCHERY_IOCTL(vcpu.value(), KVM_GET_TSC_KHZ, 0ul);
    if (!kilohertz.ok()) {
        return kilohertz.failure();
    }
    if (kilohertz.value() == 0) {
        return Failure{"KVM_GET_TSC_KHZ", ENOTSUP};
    }
    tsc_hertz_ = static_cast<uint64_t>(kilohertz.value()) * 1000;
    auto registers = HATCHERY_IOCTL(vcpu.value(), KVM_GET_SREGS, &reset_sregs_);
    if (!registers.ok()) {
        return registers.failure();
    }
    return kSuccess;
}

}  // namespace hatchery
