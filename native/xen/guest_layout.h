/* Where everything of a PVH guest is in its physical memory. */
#ifndef HATCHERY_XEN_GUEST_LAYOUT_H
#define HATCHERY_XEN_GUEST_LAYOUT_H

#include <cstdint>
#include <memory>
#include <span>

#include "../machine/descriptor.h"
#include "../machine/load_plan.h"
#include "../machine/page_set.h"
#include "../machine/result.h"
#include "domain.h"

namespace hatchery {

/* The stub's pages, at the bottom of a machine's memory: code, mailbox, tables (hatchery_xen.h). */
inline constexpr size_t kStubPage = 0;
inline constexpr size_t kMailboxPage = 1;
inline constexpr size_t kTablesPage = 2;
inline constexpr uint64_t kStubBytes = 3 * HATCHERY_PAGE_BYTES;

/*
 * From low to high: the memory of the load plan; from the next multiple of 2 MiB, its shared
 * region; page tables; shared_info, behind the domain's own pages. All that lies behind the memory
 * is the same in all machines of an image and written by none: the constant part. Immutable; any
 * thread.
 */
class GuestLayout {
  public:
    /* `plan` is sound. */
    static Result<std::shared_ptr<const GuestLayout>> build(const LoadPlan& plan);

    size_t memory_bytes() const { return memory_bytes_; }
    /* Where the channel is in the memory. */
    size_t channel() const { return channel_; }
    /* Where the page tables start in guest physical memory, with the highest; nothing is behind
     * them. */
    uint64_t page_tables() const { return page_tables_; }
    const DomainShape& shape() const { return shape_; }

    size_t constant_start() const { return constant_start_; }
    std::span<const uint8_t> constant() const { return {constant_.bytes(), constant_.size()}; }
    /* Those of the constant part's pages, counted from its start, that are not all zero. */
    const PageSet& constant_pages() const { return constant_pages_; }

  private:
    explicit GuestLayout(size_t constant_bytes) : constant_pages_(constant_bytes) {}

    size_t memory_bytes_ = 0;
    size_t channel_ = 0;
    uint64_t page_tables_ = 0;
    size_t constant_start_ = 0;
    DomainShape shape_;
    Mapping constant_;
    PageSet constant_pages_;
};

}  // namespace hatchery

#endif
