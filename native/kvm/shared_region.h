/* Memory that all machines of a function read and none can write: code and constants. */
#ifndef HATCHERY_KVM_SHARED_REGION_H
#define HATCHERY_KVM_SHARED_REGION_H

#include <cstdint>
#include <cstring>
#include <memory>

#include "large_pages.h"

namespace hatchery {

/*
 * Zeroed memory in transparent huge pages where the host gives them: the first touch of a page in a
 * new machine costs some microseconds, whatever its size. Machines get it as a read-only memory
 * slot.
 */
class SharedRegion {
  public:
    /* `size` is a multiple of kLargePageBytes, and so is `physical_address`. */
    static Result<std::shared_ptr<SharedRegion>> create(size_t size, uint64_t physical_address) {
        auto mapping = map_for_large_pages(size);
        if (!mapping.ok()) {
            return mapping.failure();
        }
        auto region = std::make_shared<SharedRegion>();
        region->mapping_ = std::move(mapping.value());
        region->size_ = size;
        region->physical_address_ = physical_address;
        ask_for_large_pages(region->bytes(), size);
        return region;
    }

    /* Another one with the same bytes at the same place. */
    Result<std::shared_ptr<SharedRegion>> copy() const {
        auto region = create(size_, physical_address_);
        if (region.ok()) {
            std::memcpy(region.value()->bytes(), bytes(), size_);
        }
        return region;
    }

    uint8_t* bytes() const { return mapping_.bytes(); }
    size_t size() const { return size_; }
    uint64_t physical_address() const { return physical_address_; }

  private:
    Mapping mapping_;
    size_t size_ = 0;
    uint64_t physical_address_ = 0;
};

}  // namespace hatchery

#endif
