/*
 * The library OS as a C library sees it: what a Linux kernel would do for it, done in the image. The
 * parts of images/posix share this header; a program sees the C library's own headers only.
 *
 * System calls have Linux's numbers, arguments and results: 0 or more is a result, -errno an error.
 * Pointers are not checked: who passes a wrong one faults, as it would with its own code.
 */
#ifndef HATCHERY_POSIX_POSIX_H
#define HATCHERY_POSIX_POSIX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

/* -- The process (process.c, crt.c). -- */

/* What becomes of standard input and output, and of an exit. */
struct manner {
    size_t (*read)(void *buffer, size_t capacity);
    void (*write)(const void *bytes, size_t count);
    void (*write_error)(const void *bytes, size_t count);
    __attribute__((noreturn)) void (*exit)(int code);
    void (*before_wait)(void); /* waiting overwrites the request window */
};
/* The linked manner: main_manner.c's or application_manner.c's. */
extern const struct manner manner;

/* Makes the C library ready and runs constructors. Both end with NULL and are not copied. */
void library_begin(char **arguments, char **environment);

/* The strings of a list as `main` gets them: pointers to each, NULL behind them. */
struct strings;
char **strings_vector(const struct strings *strings);

/* Ends the instance with a panic that says `what` and, if it is not negative, a number behind it. */
/* Appends a number that is not negative; returns the end. */
char *number_append(char *to, long number);

_Noreturn void posix_panic(const char *what, long number);

/* kill, tkill and tgkill of a process that has only itself. */
long signal_raise(int signal);
long signal_set_action(int signal, const void *action, void *old_action, size_t mask_bytes);

long process_limits(int resource, const void *limit, void *old_limit);

/* -- Memory (memory.c): anonymous pages from the start of the heap on. -- */

long memory_map(void *address, size_t bytes, int protection, int flags, int descriptor,
                uint64_t offset);
long memory_unmap(void *address, size_t bytes);
long memory_remap(void *address, size_t bytes, size_t new_bytes, int flags);
long memory_protect(void *address, size_t bytes, int protection);
long memory_advise(void *address, size_t bytes, int advice);

/* -- Files (descriptors.c, file_calls.c, directory_calls.c, paths.c). -- */

enum description_kind {
    DESCRIPTION_FREE,
    DESCRIPTION_INPUT,
    DESCRIPTION_OUTPUT,
    DESCRIPTION_ERROR,
    DESCRIPTION_FILE, /* a regular file or a directory */
    DESCRIPTION_NULL,
    DESCRIPTION_ZERO,
    DESCRIPTION_RANDOM
};

/* An open file description: what descriptors made by dup share. */
struct description {
    enum description_kind kind;
    unsigned descriptors; /* that name it */
    int flags;            /* O_ACCMODE and O_APPEND, of open(2) */
    struct file *file;    /* of DESCRIPTION_FILE */
    uint64_t offset;      /* in bytes; in a directory: see directory_calls.c */
};

/* What a descriptor names; NULL if it names nothing. */
struct description *description_of(int descriptor);

/* A new description with the lowest free descriptor, which is the result; -EMFILE. */
long description_open(enum description_kind kind, int flags, struct file *file);

long descriptor_close(int descriptor);
long descriptor_duplicate(int descriptor, int lowest);
long descriptor_duplicate_to(int descriptor, int to, int flags, int same_is_fine);
long descriptor_control(int descriptor, int command, long argument);

/* -errno for one of enum files_error. */
long files_errno(int error);

/* A path, made absolute: what is before it, and no `..` in it. */
enum { PATH_BYTES = 4096 };
struct absolute_path {
    char text[PATH_BYTES + 1]; /* as files_find wants it; never empty */
    size_t bytes;
};
/* `directory` is a descriptor or AT_FDCWD; 0 or -errno. */
long path_resolve(int directory, const char *path, struct absolute_path *resolved);
long path_find(int directory, const char *path, struct file **found);
long path_change_directory(struct file *directory);
long path_current(char *buffer, size_t capacity);

long file_open(int directory, const char *path, int flags);
long file_read(int descriptor, const struct iovec *parts, int count, int64_t offset);
long file_write(int descriptor, const struct iovec *parts, int count, int64_t offset);
long file_seek(int descriptor, int64_t offset, int whence);
long file_truncate(int descriptor, int64_t size);
long path_truncate(const char *path, int64_t size);
long file_status(int descriptor, struct stat *status);
long path_status(int directory, const char *path, struct stat *status, int flags);
long path_access(int directory, const char *path, int mode);
long path_set_times(int directory, const char *path, const struct timespec times[2], int flags);

long directory_read(int descriptor, void *buffer, size_t capacity);
long directory_make(int directory, const char *path);
long path_unlink(int directory, const char *path, int flags);
long path_rename(int from_directory, const char *from, int to_directory, const char *to);
long path_read_link(int directory, const char *path);

/* -- Time (time_calls.c). -- */

long time_get(int clock, struct timespec *time);
long time_resolution(int clock, struct timespec *resolution);
/* TIMER_ABSTIME or 0. */
long time_sleep(int clock, int flags, const struct timespec *time);
/* Every descriptor is always ready. */
long time_poll(void *descriptors, unsigned long count, long milliseconds);

#endif
