#include "domain_memory.h"

#include <sys/mman.h>

#include <algorithm>

#include "../machine/system_call.h"

namespace hatchery {

DomainMemory::~DomainMemory() {
    if (bytes_ != nullptr) {
        munmap(bytes_, pages_ * XC_PAGE_SIZE);
    }
}

Result<DomainMemory> DomainMemory::reserve(xenforeignmemory_handle* handle, uint32_t domain,
                                           size_t pages) {
    constexpr const char* kReserve = "mmap";
    void* const bytes = attempt(kReserve, [&] {
        return mmap(nullptr, pages * XC_PAGE_SIZE, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    });
    if (bytes == MAP_FAILED) {
        return Failure::from_errno(kReserve);
    }
    DomainMemory memory;
    memory.handle_ = handle;
    memory.domain_ = domain;
    memory.bytes_ = static_cast<uint8_t*>(bytes);
    memory.pages_ = pages;
    memory.reached_.resize((pages + kChunkPages - 1) / kChunkPages);
    return memory;
}

Status DomainMemory::reach(size_t first, size_t count) {
    if (first > pages_ || count > pages_ - first) {
        return Failure{"DomainMemory::reach", EINVAL};
    }
    const size_t end = (first + count + kChunkPages - 1) / kChunkPages;
    for (size_t chunk = first / kChunkPages; chunk < end;) {
        if (reached_[chunk]) {
            chunk++;
            continue;
        }
        const size_t start = chunk;
        while (chunk < end && !reached_[chunk]) {
            chunk++;
        }
        if (Status failed = map_chunks(start, chunk - start)) {
            return failed;
        }
    }
    return kSuccess;
}

Status DomainMemory::map_chunks(size_t first, size_t count) {
    constexpr const char* kMap = "xenforeignmemory_map2";
    const size_t start = first * kChunkPages;
    const size_t pages = std::min(count * kChunkPages, pages_ - start);
    uint8_t* const place = bytes_ + start * XC_PAGE_SIZE;
    std::vector<xen_pfn_t> frames(pages);
    for (size_t i = 0; i < pages; i++) {
        frames[i] = start + i;
    }
    std::vector<int> errors(pages);
    if (fault_is_due(kMap) ||
        xenforeignmemory_map2(handle_, domain_, place, PROT_READ | PROT_WRITE, MAP_FIXED, pages,
                              frames.data(), errors.data()) == nullptr) {
        return Failure::from_errno(kMap);
    }
    /* The call succeeds where some of the pages could not be mapped. The chunks do not count as
     * reached then, and the next try replaces the mapping. */
    for (const int error : errors) {
        if (error != 0) {
            return Failure{kMap, -error};
        }
    }
    std::fill_n(reached_.begin() + static_cast<std::ptrdiff_t>(first), count, true);
    return kSuccess;
}

}  // namespace hatchery
