#include "foreign_mapping.h"

#include <sys/mman.h>

#include <vector>

#include "../machine/system_call.h"

namespace hatchery {

ForeignMapping::~ForeignMapping() {
    if (bytes_ != nullptr) {
        xenforeignmemory_unmap(handle_, bytes_, pages_);
    }
}

Result<ForeignMapping> ForeignMapping::map(xenforeignmemory_handle* handle, uint32_t domain,
                                           std::span<const xen_pfn_t> frames, Access access) {
    constexpr const char* kMap = "xenforeignmemory_map";
    if (frames.empty()) {
        return Failure{kMap, EINVAL};
    }
    const int protection = access == Access::kWrite ? PROT_READ | PROT_WRITE : PROT_READ;
    std::vector<int> errors(frames.size());
    ForeignMapping mapping;
    mapping.handle_ = handle;
    mapping.pages_ = frames.size();
    if (!fault_is_due(kMap)) {
        mapping.bytes_ = static_cast<uint8_t*>(xenforeignmemory_map(
            handle, domain, protection, frames.size(), frames.data(), errors.data()));
    }
    if (mapping.bytes_ == nullptr) {
        return Failure::from_errno(kMap);
    }
    /* The call succeeds where some of the pages could not be mapped. */
    for (const int error : errors) {
        if (error != 0) {
            return Failure{kMap, -error};
        }
    }
    return mapping;
}

}  // namespace hatchery
