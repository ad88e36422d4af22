/*
 * Reads the image's archive: POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format"), as the image
 * builder writes it, linked into the image between two symbols. An image without one has no files.
 */
#include "packed_files.h"

#include <string.h>

#include "../kernel/kernel.h"

extern const unsigned char packed_archive[] __attribute__((weak));
extern const unsigned char packed_archive_end[] __attribute__((weak));

enum { BLOCK_BYTES = 512, NAME_BYTES = 100, PREFIX_BYTES = 155, PATH_MAX_BYTES = 256 };
enum { SIZE_AT = 124, SIZE_DIGITS = 12, TYPE_AT = 156, MAGIC_AT = 257, PREFIX_AT = 345 };

static _Noreturn void refuse(const char *text) {
    panic(HATCHERY_PANIC_ABORT, text, strlen(text));
}

static _Noreturn void refuse_memory(void) {
    static const char text[] = "the instance's memory is too small for its files";
    panic(HATCHERY_PANIC_MEMORY, text, sizeof text - 1);
}

/* Octal digits up to a NUL or a space. */
static uint64_t octal(const unsigned char *digits, size_t count) {
    uint64_t value = 0;
    for (size_t i = 0; i < count && digits[i] >= '0' && digits[i] <= '7'; i++) {
        value = value * 8 + (uint64_t)(digits[i] - '0');
    }
    return value;
}

/* Of a field that ends with a NUL where it is not full. */
static size_t length_of(const void *field, size_t capacity) {
    const unsigned char *end = memchr(field, 0, capacity);
    return end == NULL ? capacity : (size_t)(end - (const unsigned char *)field);
}

/* Lays prefix and name of a header one behind the other; returns the bytes of the path. */
static size_t path_of(const unsigned char *header, char path[PATH_MAX_BYTES]) {
    const char *prefix = (const char *)header + PREFIX_AT;
    size_t bytes = length_of(prefix, PREFIX_BYTES);
    memcpy(path, prefix, bytes);
    if (bytes > 0) {
        path[bytes++] = '/';
    }
    const size_t name_bytes = length_of(header, NAME_BYTES);
    memcpy(path + bytes, header, name_bytes);
    return bytes + name_bytes;
}

static struct file *add_path(struct file *root, const char *path, size_t path_bytes, int is_directory) {
    struct file *file = root;
    for (size_t at = 0; at < path_bytes;) {
        const char *slash = memchr(path + at, '/', path_bytes - at);
        const size_t bytes = slash == NULL ? path_bytes - at : (size_t)(slash - (path + at));
        if (bytes > 0) {
            struct file *child = files_child(file, path + at, bytes);
            if (child == NULL) {
                const int is_last = at + bytes + 1 >= path_bytes;
                child = files_add(file, path + at, bytes, is_last ? is_directory : 1);
            }
            if (child == NULL) {
                refuse_memory();
            }
            file = child;
        }
        at += bytes + 1;
    }
    return file;
}

static void make_read_only(struct file *file) {
    file->is_read_only = 1;
    /* The image's are older than any instance. */
    file->accessed = file->modified = 0;
    for (struct file *child = file->first_child; child != NULL; child = child->next) {
        make_read_only(child);
    }
}

void packed_files_unpack(struct file *root) {
    const unsigned char *at = packed_archive;
    while (at != NULL && at + BLOCK_BYTES <= packed_archive_end && *at != 0) {
        if (memcmp(at + MAGIC_AT, "ustar", 5) != 0) {
            refuse("the image's files are damaged");
        }
        const uint64_t size = octal(at + SIZE_AT, SIZE_DIGITS);
        const unsigned char *content = at + BLOCK_BYTES;
        if (size > (uint64_t)(packed_archive_end - content)) {
            refuse("the image's files are damaged");
        }
        char path[PATH_MAX_BYTES];
        const size_t path_bytes = path_of(at, path);
        const int is_directory = at[TYPE_AT] == '5';
        struct file *file = add_path(root, path, path_bytes, is_directory);
        if (!is_directory) {
            file->packed = content;
            file->size = size;
        }
        at = content + (size + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }
    make_read_only(root);
    struct file *scratch = files_child(root, "tmp", 3);
    if (scratch == NULL) {
        scratch = files_add(root, "tmp", 3, 1);
    }
    if (scratch != NULL) {
        scratch->is_read_only = 0;
    }
}
