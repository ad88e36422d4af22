/* A guest's address space, built by the host and out of the guest's reach. */
#ifndef HATCHERY_MACHINE_PAGE_TABLES_H
#define HATCHERY_MACHINE_PAGE_TABLES_H

#include <cstdint>
#include <memory>
#include <span>

#include "../../images/abi/hatchery.h"
#include "descriptor.h"

namespace hatchery {

inline constexpr uint64_t kLargePageBytes = 2u << 20;

/* Consecutive pages that are mapped alike. Addresses are multiples of the page size. */
struct Placement {
    uint64_t virtual_address;
    uint64_t physical_address;
    uint64_t pages;
    bool writable;
    bool executable;
    bool large;              /* pages of 2 MiB instead of 4 KiB */
    bool supervisor = false; /* for ring 0 only */

    uint64_t page_bytes() const { return large ? kLargePageBytes : HATCHERY_PAGE_BYTES; }
};

/*
 * Four-level page tables (Intel SDM volume 3A, section 4.5) in memory of their own, which no
 * placement maps. Accessed and dirty bits are set from the start, so that nothing ever writes to
 * them: all machines of a function share one copy.
 */
class PageTables {
  public:
    /* `physical_address`: where the tables will stand in guest physical memory. */
    static Result<std::shared_ptr<const PageTables>> build(std::span<const Placement> placements,
                                                           uint64_t physical_address);

    const Mapping& memory() const { return memory_; }
    uint64_t physical_address() const { return physical_address_; }

  private:
    Mapping memory_;
    uint64_t physical_address_ = 0;
};

}  // namespace hatchery

#endif
