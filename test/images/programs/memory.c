#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

enum { PAGE = 4096, MEBIBYTE = 1 << 20 };

static int is_zero(const unsigned char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != 0) {
            return 0;
        }
    }
    return 1;
}

/* Takes all there is, as often as it is asked to. */
static int mebibytes(void) {
    static void *blocks[4096];
    int count = 0;
    while (count < 4096 && (blocks[count] = malloc(MEBIBYTE)) != NULL) {
        memset(blocks[count++], 0xff, MEBIBYTE);
    }
    CHECK(errno == ENOMEM);
    for (int i = 0; i < count; i++) {
        free(blocks[i]);
    }
    return count;
}

static void check_mappings(void) {
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    unsigned char *map = mmap(NULL, 3 * PAGE, protection, flags, -1, 0);
    CHECK(map != MAP_FAILED && (uintptr_t)map % PAGE == 0 && is_zero(map, 3 * PAGE));
    memset(map, 1, 3 * PAGE);
    CHECK(munmap(map + PAGE, PAGE) == 0);
    unsigned char *again = mmap(NULL, PAGE, protection, flags, -1, 0);
    CHECK(again != MAP_FAILED && is_zero(again, PAGE));
    map = mremap(map, PAGE, 5 * PAGE, MREMAP_MAYMOVE);
    CHECK(map != MAP_FAILED && map[0] == 1 && map[PAGE - 1] == 1 && is_zero(map + PAGE, 4 * PAGE));
    CHECK(madvise(map, PAGE, MADV_DONTNEED) == 0 && is_zero(map, PAGE));
    CHECK(mprotect(map, PAGE, PROT_NONE) == 0 && mprotect(map, PAGE, protection) == 0);
    CHECK_FAILS(mprotect(map, PAGE, PROT_READ | PROT_EXEC), EACCES);
    CHECK_FAILS(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, flags, -1, 0), EACCES);
    CHECK_FAILS(mmap(map, PAGE, protection, flags | MAP_FIXED, -1, 0), EINVAL);
    CHECK_FAILS(mmap(NULL, 0, protection, flags, -1, 0), EINVAL);
    CHECK_FAILS(mmap(NULL, SIZE_MAX - 2 * PAGE, protection, flags, -1, 0), ENOMEM);
    CHECK_FAILS(munmap((void *)(uintptr_t)0x4000000, PAGE), EINVAL);
    int file = open("/tmp/mapped", O_RDWR | O_CREAT, 0600);
    CHECK(write(file, "mapped", 6) == 6);
    char *copy = mmap(NULL, 6, PROT_READ, MAP_PRIVATE, file, 0);
    CHECK((void *)copy != MAP_FAILED && memcmp(copy, "mapped\0", 7) == 0);
    CHECK_FAILS(mmap(NULL, 6, protection, MAP_SHARED, file, 0), ENODEV);
    CHECK(close(file) == 0 && unlink("/tmp/mapped") == 0);
}

/* Files and heap share the memory: one gets what the other leaves. */
static void check_full_file_system(void) {
    static char part[65536];
    int file = open("/tmp/large", O_WRONLY | O_CREAT, 0600);
    long total = 0, written;
    while ((written = write(file, part, sizeof part)) > 0) {
        total += written;
    }
    CHECK(written == -1 && errno == ENOSPC && total > MEBIBYTE);
    CHECK(close(file) == 0 && unlink("/tmp/large") == 0);
}

void check_memory(void) {
    check_mappings();
    const int first = mebibytes();
    CHECK(first > 40 && first < 64);
    CHECK(mebibytes() >= first - 1);
    unsigned char *zeroes = calloc(100, PAGE);
    CHECK(zeroes != NULL && is_zero(zeroes, 100 * PAGE));
    char *text = malloc(10);
    for (size_t bytes = 10; bytes < MEBIBYTE; bytes *= 3) {
        text = realloc(text, bytes);
        CHECK(text != NULL);
        memset(text, 'x', bytes);
    }
    void *aligned;
    CHECK(posix_memalign(&aligned, 65536, 100) == 0 && (uintptr_t)aligned % 65536 == 0);
    CHECK(malloc(SIZE_MAX / 2) == NULL && errno == ENOMEM);
    check_full_file_system();
}
