/*
 * Anonymous memory: a bit for each page of the heap says whether it is mapped, another whether it
 * was ever handed out and so must be wiped. Protections are not kept: a guest cannot change its page
 * tables.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>

#include "../files/files.h"
#include "../files/memory_pages.h"
#include "../kernel/kernel.h"
#include "posix.h"

enum { PAGE = MEMORY_PAGE_BYTES, WORD_BITS = 64 };

static uint64_t *mapped, *used;
static size_t pages;    /* that the bits are for */
static size_t hint;     /* all pages below are mapped */
static size_t claimed;  /* pages below are the application's, by memory_claim */

static int bit(const uint64_t *bits, size_t page) {
    return (int)(bits[page / WORD_BITS] >> page % WORD_BITS & 1);
}

static void set_bits(uint64_t *bits, size_t first, size_t count, int value) {
    for (size_t page = first; page < first + count; page++) {
        const uint64_t mask = (uint64_t)1 << page % WORD_BITS;
        bits[page / WORD_BITS] = value ? bits[page / WORD_BITS] | mask : bits[page / WORD_BITS] & ~mask;
    }
}

static void *address_of(size_t page) {
    return (void *)(HATCHERY_HEAP_ADDRESS + page * PAGE);
}

static int begin(void) {
    if (mapped == NULL) {
        const size_t count = heap_bytes() / PAGE;
        const size_t bytes = (count + WORD_BITS - 1) / WORD_BITS * sizeof(uint64_t);
        mapped = memory_take(bytes);
        used = mapped == NULL ? NULL : memory_take(bytes);
        if (used == NULL) {
            return 0;
        }
        pages = count;
    }
    return 1;
}

/* Pages from a length in bytes; 0 where there cannot be so many. */
static size_t pages_in(size_t bytes) {
    return bytes > SIZE_MAX - PAGE ? 0 : (bytes + PAGE - 1) / PAGE;
}

static int claim_up_to(size_t end) {
    if (end > claimed) {
        if (!memory_claim(HATCHERY_HEAP_ADDRESS + end * PAGE)) {
            return 0;
        }
        claimed = end;
    }
    return 1;
}

/* The first page of `count` free ones, or `pages`. */
static size_t find_free(size_t count) {
    while (hint < pages && bit(mapped, hint)) {
        hint++;
    }
    size_t run = 0;
    for (size_t page = hint; page < pages; page++) {
        if (page % WORD_BITS == 0 && mapped[page / WORD_BITS] == UINT64_MAX) {
            run = 0;
            page += WORD_BITS - 1;
            continue;
        }
        run = bit(mapped, page) ? 0 : run + 1;
        if (run == count) {
            return page + 1 - count;
        }
    }
    return pages;
}

static void wipe(size_t first, size_t count) {
    for (size_t page = first; page < first + count; page++) {
        if (bit(used, page)) {
            memset(address_of(page), 0, PAGE);
        }
    }
}

static int take(size_t first, size_t count) {
    if (!claim_up_to(first + count)) {
        return 0;
    }
    wipe(first, count);
    set_bits(mapped, first, count, 1);
    set_bits(used, first, count, 1);
    return 1;
}

/* What is free at the end of what is claimed is there for files again. */
static void claim_less(void) {
    size_t end = claimed;
    while (end > 0 && !bit(mapped, end - 1)) {
        end -= end % WORD_BITS == 0 && mapped[end / WORD_BITS - 1] == 0 ? WORD_BITS : 1;
    }
    memory_claim(HATCHERY_HEAP_ADDRESS + end * PAGE);
    claimed = end;
}

static void give(size_t first, size_t count) {
    set_bits(mapped, first, count, 0);
    hint = first < hint ? first : hint;
    if (first < claimed && first + count >= claimed) {
        claim_less();
    }
}

/* The first page of a range that lies in the heap, `pages` for any other. */
static size_t first_page(const void *address, size_t count) {
    const uintptr_t offset = (uintptr_t)address - HATCHERY_HEAP_ADDRESS;
    if ((uintptr_t)address < HATCHERY_HEAP_ADDRESS || offset / PAGE >= pages ||
        count > pages - offset / PAGE) {
        return pages;
    }
    return offset / PAGE;
}

static int all_mapped(size_t first, size_t count) {
    for (size_t page = first; page < first + count; page++) {
        if (!bit(mapped, page)) {
            return 0;
        }
    }
    return 1;
}

/* Fills a private mapping of a file with a copy. */
static long copy_file(void *to, size_t bytes, int descriptor, uint64_t offset) {
    size_t done = 0;
    while (done < bytes) {
        const struct iovec rest = {(char *)to + done, bytes - done};
        const long count = file_read(descriptor, &rest, 1, (int64_t)(offset + done));
        if (count < 0) {
            return count;
        }
        if (count == 0) {
            break;
        }
        done += (size_t)count;
    }
    return 0;
}

static long check_file(int descriptor, int protection, int flags, uint64_t offset) {
    const struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    if (description->kind != DESCRIPTION_FILE || description->file->is_directory) {
        return -ENODEV;
    }
    if (offset % PAGE != 0) {
        return -EINVAL;
    }
    /* What is written to a copy would not reach the file. */
    return (flags & MAP_TYPE) == MAP_SHARED && (protection & PROT_WRITE) != 0 ? -ENODEV : 0;
}

long memory_map(void *address, size_t bytes, int protection, int flags, int descriptor,
                uint64_t offset) {
    (void)address;
    if (bytes == 0) {
        return -EINVAL;
    }
    if ((protection & PROT_EXEC) != 0) {
        return -EACCES;
    }
    /* Nothing is ever mapped where something else may be. */
    if ((flags & MAP_FIXED) != 0) {
        return -EINVAL;
    }
    const int is_anonymous = (flags & MAP_ANONYMOUS) != 0;
    if (!is_anonymous) {
        const long error = check_file(descriptor, protection, flags, offset);
        if (error != 0) {
            return error;
        }
    }
    const size_t count = pages_in(bytes);
    if (count == 0 || !begin()) {
        return -ENOMEM;
    }
    const size_t first = find_free(count);
    if (first == pages || !take(first, count)) {
        return -ENOMEM;
    }
    const long error = is_anonymous ? 0 : copy_file(address_of(first), bytes, descriptor, offset);
    if (error != 0) {
        give(first, count);
        return error;
    }
    return (long)address_of(first);
}

long memory_unmap(void *address, size_t bytes) {
    const size_t count = pages_in(bytes);
    if ((uintptr_t)address % PAGE != 0 || count == 0) {
        return -EINVAL;
    }
    const size_t first = first_page(address, count);
    if (first == pages) {
        return -EINVAL;
    }
    give(first, count);
    return 0;
}

static int is_free(size_t first, size_t count) {
    if (count > pages - first) {
        return 0;
    }
    for (size_t page = first; page < first + count; page++) {
        if (bit(mapped, page)) {
            return 0;
        }
    }
    return 1;
}

long memory_remap(void *address, size_t bytes, size_t new_bytes, int flags) {
    const size_t count = pages_in(bytes), new_count = pages_in(new_bytes);
    if ((uintptr_t)address % PAGE != 0 || count == 0 || new_count == 0 ||
        (flags & ~MREMAP_MAYMOVE) != 0) {
        return -EINVAL;
    }
    const size_t first = first_page(address, count);
    if (first == pages || !all_mapped(first, count)) {
        return -EFAULT;
    }
    if (new_count <= count) {
        give(first + new_count, count - new_count);
        return (long)address;
    }
    if (is_free(first + count, new_count - count) && take(first + count, new_count - count)) {
        return (long)address;
    }
    const size_t to = (flags & MREMAP_MAYMOVE) == 0 ? pages : find_free(new_count);
    if (to == pages || !take(to, new_count)) {
        return -ENOMEM;
    }
    memcpy(address_of(to), address, count * PAGE);
    give(first, count);
    return (long)address_of(to);
}

long memory_protect(void *address, size_t bytes, int protection) {
    if ((uintptr_t)address % PAGE != 0) {
        return -EINVAL;
    }
    if ((protection & PROT_EXEC) != 0) {
        return -EACCES;
    }
    const size_t count = pages_in(bytes);
    const size_t first = first_page(address, count);
    return first == pages || !all_mapped(first, count) ? -ENOMEM : 0;
}

long memory_advise(void *address, size_t bytes, int advice) {
    const size_t count = pages_in(bytes);
    const size_t first = first_page(address, count);
    if ((uintptr_t)address % PAGE != 0) {
        return -EINVAL;
    }
    if (first == pages || !all_mapped(first, count)) {
        return -ENOMEM;
    }
    if (advice == MADV_DONTNEED) {
        wipe(first, count);
    }
    return 0;
}
