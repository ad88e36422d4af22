/* The C library's start, and what is the same for both manners of programs. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../files/memory_pages.h"
#include "../gateway/gateway.h"
#include "../kernel/platform.h"
#include "posix.h"

/* musl's src/env/__libc_start_main.c: thread pointer, environment, auxiliary vector. */
void __init_libc(char **environment, char *program);

typedef void initialiser(void);
extern initialiser *const __init_array_start[], *const __init_array_end[];

void library_begin(char **arguments, char **environment) {
    /* What is behind an environment is the auxiliary vector, as for a process of Linux. */
    static struct {
        char *none[1];
        uint64_t vector[3][2];
    } start;
    static unsigned char seed[16];
    random_fill(seed, sizeof seed);
    start.vector[0][0] = AT_PAGESZ;
    start.vector[0][1] = MEMORY_PAGE_BYTES;
    start.vector[1][0] = AT_RANDOM;
    start.vector[1][1] = (uint64_t)(uintptr_t)seed;
    __init_libc(start.none, arguments[0]);
    environ = environment;
    for (initialiser *const *at = __init_array_start; at < __init_array_end; at++) {
        (*at)();
    }
}

/* Before the C library is ready there is no malloc. */
char **strings_vector(const struct strings *strings) {
    const long address = memory_map(NULL, (strings->count + 1) * sizeof(char *),
                                    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address < 0) {
        static const char text[] = "the instance's memory is too small for arguments and environment";
        panic(HATCHERY_PANIC_MEMORY, text, sizeof text - 1);
    }
    char **vector = (char **)address;
    char *at = (char *)(uintptr_t)strings->start;
    for (size_t i = 0; i < strings->count; i++) {
        vector[i] = at;
        at += strlen(at) + 1;
    }
    return vector;
}

char *number_append(char *to, long number) {
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0) {
        *to++ = digits[--count];
    }
    return to;
}

_Noreturn void posix_panic(const char *what, long number) {
    char text[160];
    const size_t bytes = strnlen(what, sizeof text - 24);
    memcpy(text, what, bytes);
    const char *end = number < 0 ? text + bytes : number_append(text + bytes, number);
    panic(HATCHERY_PANIC_ABORT, text, (size_t)(end - text));
}

long process_limits(int resource, const void *limit, void *old_limit) {
    if (limit != NULL) {
        return -EPERM;
    }
    uint64_t value;
    switch (resource) {
        case RLIMIT_STACK: value = boot_page()->stack_bytes; break;
        case RLIMIT_AS:
        case RLIMIT_DATA: value = heap_bytes(); break;
        case RLIMIT_NOFILE: value = 256; break;
        case RLIMIT_NPROC: value = 1; break;
        case RLIMIT_CORE: value = 0; break;
        default: value = RLIM_INFINITY;
    }
    if (old_limit != NULL) {
        const struct rlimit limits = {value, value};
        memcpy(old_limit, &limits, sizeof limits);
    }
    return 0;
}
