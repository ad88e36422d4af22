/* In a file of its own, so that the fuzzers can put a KVM of theirs in its place. */
#include <sys/ioctl.h>

#include "kvm_device.h"

namespace hatchery {

Result<int> kvm_ioctl(int descriptor, unsigned long request, void* argument, const char* name) {
    const auto call = [&] { return ioctl(descriptor, request, argument); };
    /* Any signal may interrupt KVM_CREATE_VM; only for KVM_RUN does that mean something. */
    const int result = request == KVM_RUN ? attempt_once(name, call) : attempt(name, call);
    if (result < 0) {
        return Failure::from_errno(name);
    }
    return result;
}

Result<int> kvm_ioctl(int descriptor, unsigned long request, unsigned long argument,
                      const char* name) {
    return kvm_ioctl(descriptor, request, reinterpret_cast<void*>(argument), name);
}

}  // namespace hatchery
