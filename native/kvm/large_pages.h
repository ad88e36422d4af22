/* Zeroed memory in transparent huge pages, where the host gives them. */
#ifndef HATCHERY_KVM_LARGE_PAGES_H
#define HATCHERY_KVM_LARGE_PAGES_H

#include <cstdint>

#include "../machine/descriptor.h"
#include "../machine/page_tables.h"

namespace hatchery {

/* `size` bytes and some more, which begin at a large page's boundary. */
inline Result<Mapping> map_for_large_pages(size_t size) {
    auto mapping = Mapping::map(size + kLargePageBytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (mapping.ok()) {
        const auto start = reinterpret_cast<uintptr_t>(mapping.value().bytes());
        const size_t skipped = (kLargePageBytes - start % kLargePageBytes) % kLargePageBytes;
        if (Status failed = mapping.value().drop_front(skipped)) {
            return *failed;
        }
    }
    return mapping;
}

/* A host without huge pages serves as well, only slower. */
inline void ask_for_large_pages(uint8_t* bytes, size_t size) {
    (void)attempt("madvise(MADV_HUGEPAGE)", [&] { return madvise(bytes, size, MADV_HUGEPAGE); });
}

}  // namespace hatchery

#endif
