/*
 * Sizes and numbers of KVM's ioctls. With some kernel headers a flexible array in a structure makes
 * its C++ size differ from its C size, and with it the ioctl's number (EINVAL). So the sizes that
 * the kernel has are asserted here, and requests on structures that end in an array are numbered
 * by the size of the header before the array.
 */
#ifndef HATCHERY_KVM_IOCTL_NUMBERS_H
#define HATCHERY_KVM_IOCTL_NUMBERS_H

#include <linux/kvm.h>

#include <cstddef>
#include <cstdint>

namespace hatchery {

static_assert(sizeof(struct kvm_userspace_memory_region) == 32);
static_assert(sizeof(struct kvm_regs) == 144);
static_assert(sizeof(struct kvm_sregs) == 312);
static_assert(sizeof(struct kvm_vcpu_events) == 64);
static_assert(sizeof(struct kvm_dirty_log) == 16);
static_assert(sizeof(struct kvm_clear_dirty_log) == 24);
static_assert(sizeof(struct kvm_enable_cap) == 104);
static_assert(sizeof(struct kvm_xcrs) == 392);
static_assert(sizeof(struct kvm_debugregs) == 128);
static_assert(sizeof(struct kvm_cpuid_entry2) == 40);
static_assert(sizeof(struct kvm_msr_entry) == 16);

/* struct kvm_cpuid2 and struct kvm_msrs: a count, padding, then the array. */
inline constexpr size_t kArrayHeaderBytes = 8;

inline constexpr unsigned long kGetSupportedCpuid =
    _IOC(_IOC_READ | _IOC_WRITE, KVMIO, 0x05, kArrayHeaderBytes);
inline constexpr unsigned long kSetCpuid2 = _IOC(_IOC_WRITE, KVMIO, 0x90, kArrayHeaderBytes);
/* struct kvm_xsave without its `extra`; KVM_GET_XSAVE2 fills as much as KVM_CAP_XSAVE2 says. */
inline constexpr size_t kLegacyXsaveBytes = 4096;
inline constexpr unsigned long kGetXsave2 = _IOC(_IOC_READ, KVMIO, 0xcf, kLegacyXsaveBytes);
inline constexpr unsigned long kGetMsrs =
    _IOC(_IOC_READ | _IOC_WRITE, KVMIO, 0x88, kArrayHeaderBytes);
inline constexpr unsigned long kSetMsrs = _IOC(_IOC_WRITE, KVMIO, 0x89, kArrayHeaderBytes);

/* struct kvm_msrs with room for `Count` entries. */
template <uint32_t Count>
struct MsrList {
    uint32_t count = Count;
    uint32_t padding = 0;
    struct kvm_msr_entry entries[Count] = {};
};

}  // namespace hatchery

#endif
