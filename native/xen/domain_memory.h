/* A domain's memory at one address range of this process, mapped as far as it is needed. */
#ifndef HATCHERY_XEN_DOMAIN_MEMORY_H
#define HATCHERY_XEN_DOMAIN_MEMORY_H

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "../machine/page_set.h"
#include "../machine/result.h"
#include "xen_library.h"

namespace hatchery {

/*
 * Guest frames 0 .. pages - 1, writable. Dom0's kernel maps and unmaps page by page, with Xen's
 * help for each: for all of a domain's memory that would cost more than all else in its life. An
 * access to a page that was not reached is a segmentation fault.
 *
 * Unmapped with its owner. A child process does not inherit it. A mapped page keeps a dead domain
 * in Xen's list, and its number taken; it stays readable and writable meanwhile. Any thread, one at
 * a time.
 */
class DomainMemory {
  public:
    DomainMemory() = default;
    DomainMemory(DomainMemory&& other) noexcept { *this = std::move(other); }
    DomainMemory& operator=(DomainMemory&& other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(domain_, other.domain_);
        std::swap(bytes_, other.bytes_);
        std::swap(pages_, other.pages_);
        std::swap(reached_, other.reached_);
        return *this;
    }
    DomainMemory(const DomainMemory&) = delete;
    DomainMemory& operator=(const DomainMemory&) = delete;
    ~DomainMemory();

    /* Takes addresses for `pages` pages, and maps none of them. */
    static Result<DomainMemory> reserve(xenforeignmemory_handle* handle, uint32_t domain,
                                        size_t pages);

    std::span<uint8_t> bytes() const { return {bytes_, pages_ * XC_PAGE_SIZE}; }

    /* Maps those of these pages that are not mapped yet, and a few around them. */
    Status reach(size_t first, size_t count);

  private:
    /* Pages that are mapped together: runs cost little more than single pages. */
    static constexpr size_t kChunkPages = 8;

    Status map_chunks(size_t first, size_t count);

    xenforeignmemory_handle* handle_ = nullptr;
    uint32_t domain_ = 0;
    uint8_t* bytes_ = nullptr;
    size_t pages_ = 0;
    std::vector<bool> reached_; /* by chunk */
};

}  // namespace hatchery

#endif
