/* What of this process's memory holds anything: the kernel's pagemap. */
#ifndef HATCHERY_KVM_PAGEMAP_H
#define HATCHERY_KVM_PAGEMAP_H

#include <cstddef>
#include <cstdint>
#include <optional>

#include "../machine/descriptor.h"
#include "../machine/page_set.h"
#include "../machine/result.h"

namespace hatchery {

class Pagemap {
  public:
    /* Of this process. Nothing where the kernel cannot tell, as before Linux 6.7, or may not. */
    static Result<std::optional<Pagemap>> open();

    /*
     * Adds the pages of memory[from, to) that have anything behind them, in memory or swapped out:
     * all others have never been written, and read as zeroes. The bounds are pages' boundaries.
     */
    Status add_backed(const uint8_t* memory, size_t from, size_t to, PageSet& pages) const;

  private:
    explicit Pagemap(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

    Descriptor descriptor_;
};

}  // namespace hatchery

#endif
