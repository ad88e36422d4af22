/* The state in which every vCPU of a PVH machine starts: the same for all of one layout. */
#ifndef HATCHERY_XEN_VCPU_CONTEXT_H
#define HATCHERY_XEN_VCPU_CONTEXT_H

#include <cstdint>
#include <span>
#include <vector>

#include "../machine/result.h"

namespace hatchery {

/*
 * HVM save records (xen/arch-x86/hvm/save.h) that start the vCPU of a new domain at the stub's
 * entry (hatchery_xen.h), in ring 0 of long mode. `own` is what the domain itself gives for its
 * context: the header has to match, and the memory types are changed in place. `page_tables` is the
 * guest physical address of the highest table. EBADMSG where `own` is not what Xen makes.
 */
Result<std::vector<uint8_t>> initial_context(std::span<const uint8_t> own, uint64_t page_tables);

}  // namespace hatchery

#endif
