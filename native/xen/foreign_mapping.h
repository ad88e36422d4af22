/* Memory of a domain, mapped into this process. */
#ifndef HATCHERY_XEN_FOREIGN_MAPPING_H
#define HATCHERY_XEN_FOREIGN_MAPPING_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "../machine/result.h"
#include "xen_library.h"

namespace hatchery {

enum class Access { kRead, kWrite };

/*
 * Pages of a domain in one piece, unmapped with their owner. A child process does not inherit them
 * (the kernel sets VM_DONTCOPY, drivers/xen/privcmd.c). A mapped page keeps a dead domain in Xen's
 * list, and its number taken, until it is unmapped; it stays readable and writable meanwhile.
 */
class ForeignMapping {
  public:
    ForeignMapping() = default;
    ForeignMapping(ForeignMapping&& other) noexcept { *this = std::move(other); }
    ForeignMapping& operator=(ForeignMapping&& other) noexcept {
        std::swap(handle_, other.handle_);
        std::swap(bytes_, other.bytes_);
        std::swap(pages_, other.pages_);
        return *this;
    }
    ForeignMapping(const ForeignMapping&) = delete;
    ForeignMapping& operator=(const ForeignMapping&) = delete;
    ~ForeignMapping();

    /* Maps these frames (guest frames; of a PV domain, machine frames), or none of them. */
    static Result<ForeignMapping> map(xenforeignmemory_handle* handle, uint32_t domain,
                                      std::span<const xen_pfn_t> frames, Access access);

    uint8_t* bytes() const { return bytes_; }
    size_t size() const { return pages_ * XC_PAGE_SIZE; }

  private:
    xenforeignmemory_handle* handle_ = nullptr;
    uint8_t* bytes_ = nullptr;
    size_t pages_ = 0;
};

}  // namespace hatchery

#endif
