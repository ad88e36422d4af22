#include "guest_processors.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "../machine/system_call.h"
#include "checked_call.h"

namespace hatchery {
namespace {

constexpr uint32_t kDom0 = 0;

struct Free {
    void operator()(uint8_t* map) const { std::free(map); }
};
using Map = std::unique_ptr<uint8_t, Free>;

}  // namespace

Result<GuestProcessors> GuestProcessors::of_host(xc_interface* control) {
    constexpr const char* kGet = "xc_vcpu_getaffinity";
    const int bytes = xc_get_cpumap_size(control);
    const int online = xc_get_online_cpus(control);
    const Map hard(xc_cpumap_alloc(control));
    const Map soft(xc_cpumap_alloc(control));
    if (bytes <= 0 || online <= 0 || !hard || !soft) {
        return Failure{"xc_cpumap_alloc", ENOMEM};
    }
    GuestProcessors processors;
    processors.map_.assign(static_cast<size_t>(bytes), 0);
    for (int i = 0; i < online; i++) {
        processors.map_[i / 8] |= static_cast<uint8_t>(1u << i % 8);
    }
    /* Dom0 has at most as many vCPUs as the host has processors; those that it lacks are EINVAL. */
    for (int vcpu = 0; vcpu < online; vcpu++) {
        if (attempt(kGet, [&] {
                return xc_vcpu_getaffinity(control, kDom0, vcpu, hard.get(), soft.get(),
                                           XEN_VCPUAFFINITY_HARD);
            }) < 0) {
            if (vcpu > 0 && (errno == EINVAL || errno == ESRCH)) {
                break;
            }
            return Failure::from_errno(kGet);
        }
        for (size_t i = 0; i < processors.map_.size(); i++) {
            processors.map_[i] &= static_cast<uint8_t>(~hard.get()[i]);
        }
    }
    const bool has_others = std::any_of(processors.map_.begin(), processors.map_.end(),
                                        [](uint8_t byte) { return byte != 0; });
    if (!has_others) {
        processors.map_.clear();
    }
    return processors;
}

Status GuestProcessors::confine(xc_interface* control, uint32_t domain) const {
    if (map_.empty()) {
        return kSuccess;
    }
    /* Xen writes back which of them it could grant. */
    std::vector<uint8_t> map = map_;
    return checked("xc_vcpu_setaffinity", [&] {
        return xc_vcpu_setaffinity(control, domain, 0, map.data(), nullptr, XEN_VCPUAFFINITY_HARD);
    });
}

}  // namespace hatchery
