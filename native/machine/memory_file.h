/* Memory that is filled once and never written again. */
#ifndef HATCHERY_MACHINE_MEMORY_FILE_H
#define HATCHERY_MACHINE_MEMORY_FILE_H

#include <cstddef>
#include <cstdint>
#include <span>

#include "descriptor.h"
#include "page_set.h"
#include "result.h"

namespace hatchery {

/* A memory file: zeroes at first, then written, then sealed. */
class MemoryFile {
  public:
    MemoryFile() = default;
    static Result<MemoryFile> create(size_t bytes);

    /* Before it is sealed. By a call for each run of pages, not by a mapping: half the time. */
    Status write(uint64_t offset, std::span<const uint8_t> bytes);
    /* The same of these pages of a memory, which begins at `offset` in the file. */
    Status write_pages(uint64_t offset, const uint8_t* memory, const PageSet& pages);

    /* Nobody can write to it or change its size from now on. */
    Status seal();

    Result<Mapping> map_for_reading() const {
        return Mapping::map(size_, PROT_READ, MAP_SHARED, descriptor_.get());
    }

    /* What is written to such a mapping is its own. */
    Result<Mapping> map_copy_on_write() const {
        return Mapping::map(size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                            descriptor_.get());
    }

    /* The same of its first `bytes`, in the place of what is mapped at `address`; whose owner
     * unmaps it. */
    Status map_copy_on_write_at(uint8_t* address, size_t bytes) const;

    /* For another process to map. */
    int descriptor() const { return descriptor_.get(); }

    bool exists() const { return descriptor_.valid(); }

  private:
    Descriptor descriptor_;
    size_t size_ = 0;
};

}  // namespace hatchery

#endif
