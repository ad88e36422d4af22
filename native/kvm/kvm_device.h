/* /dev/kvm: what it can do, and the system calls that everything else makes through it. */
#ifndef HATCHERY_KVM_DEVICE_H
#define HATCHERY_KVM_DEVICE_H

#include <linux/kvm.h>

#include <memory>
#include <optional>
#include <vector>

#include "../machine/descriptor.h"
#include "../machine/result.h"
#include "pagemap.h"

namespace hatchery {

/*
 * The one place from which ioctls are made. `name` is the request's name, a literal. The result is
 * the ioctl's; a failure carries errno.
 */
Result<int> kvm_ioctl(int descriptor, unsigned long request, void* argument, const char* name);
Result<int> kvm_ioctl(int descriptor, unsigned long request, unsigned long argument,
                      const char* name);

#define HATCHERY_IOCTL(descriptor, request, argument) \
    ::hatchery::kvm_ioctl((descriptor), (request), (argument), #request)

/* What a machine needs to know of the host's KVM; the same for every machine. */
class KvmDevice {
  public:
    /* Opens /dev/kvm and checks everything that this addon relies on. */
    static Result<std::shared_ptr<const KvmDevice>> open();

    /* The device of this process: opened at first use, then shared for as long as anyone holds it.
     */
    static Result<std::shared_ptr<const KvmDevice>> shared();

    int descriptor() const { return descriptor_.get(); }
    /* Bytes of a vCPU's struct kvm_run mapping. */
    size_t run_bytes() const { return run_bytes_; }
    /* What the guest's CPUID instruction reports: all that KVM supports. */
    struct kvm_cpuid2* cpuid() const { return cpuid_; }
    /* Whether CPUID reports XSAVE, so that CR4.OSXSAVE and XCR0 are ours to set. */
    bool reports_xsave() const { return reports_xsave_; }
    /* XCR0 for guests; meaningful where reports_xsave(). */
    uint64_t guest_xcr0() const { return guest_xcr0_; }
    /* Bytes of the structure that KVM_GET_XSAVE2 fills. */
    size_t xsave_bytes() const { return xsave_bytes_; }

    /* nullptr where the kernel cannot tell which memory has been written. */
    const Pagemap* pagemap() const { return pagemap_ ? &*pagemap_ : nullptr; }

    /* The frequency of the time-stamp counter as a guest sees it. */
    uint64_t tsc_hertz() const { return tsc_hertz_; }
    /* The special registers of a vCPU just created. */
    const struct kvm_sregs& reset_sregs() const { return reset_sregs_; }

  private:
    Status load_cpuid();
    /* Creates a machine for a moment: proves that the host lets us, and asks it what a vCPU knows.
     */
    Status try_machine();

    Descriptor descriptor_;
    std::optional<Pagemap> pagemap_;
    size_t run_bytes_ = 0;
    size_t xsave_bytes_ = 0;
    std::vector<uint64_t> cpuid_storage_;
    struct kvm_cpuid2* cpuid_ = nullptr;
    bool reports_xsave_ = false;
    uint64_t guest_xcr0_ = 0;
    uint64_t tsc_hertz_ = 0;
    struct kvm_sregs reset_sregs_ = {};
};

}  // namespace hatchery

#endif
