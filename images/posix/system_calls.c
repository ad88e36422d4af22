/*
 * The table of system calls: numbers, arguments and results are those of Linux on x86-64 (syscalls(2)).
 * What is not here is answered with ENOSYS, and with a line in the log the first time.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "../files/files.h"
#include "../kernel/kernel.h"
#include "posix.h"

enum { PROCESS_ID = 1, CALLS = 512 };

long __hatchery_system_call(long number, long a, long b, long c, long d, long e, long f);

static long report_absent(long number) {
    static unsigned char reported[CALLS];
    if (number < 0 || number >= CALLS || !reported[number]) {
        char text[96] = "the library OS has no system call ";
        const char *end = number_append(text + strlen(text), number < 0 ? 0 : number);
        log_write(HATCHERY_LOG_WARN, text, (size_t)(end - text));
        if (number >= 0 && number < CALLS) {
            reported[number] = 1;
        }
    }
    return -ENOSYS;
}

static long name_system(struct utsname *name) {
    memset(name, 0, sizeof *name);
    strcpy(name->sysname, "Hatchery");
    strcpy(name->nodename, "localhost");
    strcpy(name->release, "1");
    strcpy(name->version, "1");
    strcpy(name->machine, "x86_64");
    return 0;
}

static long fill_randomly(void *buffer, size_t count) {
    random_fill(buffer, count);
    return (long)count;
}

/* gettimeofday(2): microseconds. */
static long time_of_day(long *time) {
    if (time != NULL) {
        const uint64_t now = clock_wall();
        time[0] = (long)(now / 1000000000);
        time[1] = (long)(now / 1000 % 1000000);
    }
    return 0;
}

static long change_directory(const char *path) {
    struct file *directory;
    const long error = path_find(AT_FDCWD, path, &directory);
    return error != 0 ? error : path_change_directory(directory);
}

static long change_directory_to(int descriptor) {
    const struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    return description->kind == DESCRIPTION_FILE ? path_change_directory(description->file) : -ENOTDIR;
}

static long raise_in(long process, long signal) {
    return process == PROCESS_ID || process == 0 || process == -1 ? signal_raise((int)signal) : -ESRCH;
}

static long check_descriptor(int descriptor, long error) {
    return description_of(descriptor) == NULL ? -EBADF : error;
}

/* File mode bits that new files would lack; they have none, so it is only remembered. */
static long set_mask(long mask) {
    static long current = 022;
    const long before = current;
    current = mask & 0777;
    return before;
}

static long one_part_read(long descriptor, long buffer, long bytes, long offset) {
    const struct iovec part = {(void *)buffer, (size_t)bytes};
    return file_read((int)descriptor, &part, 1, offset);
}

static long one_part_write(long descriptor, long buffer, long bytes, long offset) {
    const struct iovec part = {(void *)buffer, (size_t)bytes};
    return file_write((int)descriptor, &part, 1, offset);
}

/* futex(2), where nobody else could wake or be woken. */
static long wait_for_nobody(const volatile int *word, long operation, long value,
                            const struct timespec *timeout) {
    enum { COMMAND = 127, WAIT = 0 };
    if ((operation & COMMAND) != WAIT) {
        return 0;
    }
    if (*word != (int)value) {
        return -EAGAIN;
    }
    if (timeout == NULL) {
        posix_panic("the program waits for a lock that nobody can open", -1);
    }
    const long error = time_sleep(CLOCK_MONOTONIC, 0, timeout);
    return error != 0 ? error : -ETIMEDOUT;
}

/* -- The table, by subject. Each gives 1 and sets *result where the call is its own. -- */

static int call_files(long number, long a, long b, long c, long d, long *result) {
    switch (number) {
        case SYS_read: *result = one_part_read(a, b, c, -1); return 1;
        case SYS_write: *result = one_part_write(a, b, c, -1); return 1;
        case SYS_readv: *result = file_read((int)a, (void *)b, (int)c, -1); return 1;
        case SYS_writev: *result = file_write((int)a, (void *)b, (int)c, -1); return 1;
        case SYS_pread64: *result = d < 0 ? -EINVAL : one_part_read(a, b, c, d); return 1;
        case SYS_pwrite64: *result = d < 0 ? -EINVAL : one_part_write(a, b, c, d); return 1;
        case SYS_preadv:
            *result = d < 0 ? -EINVAL : file_read((int)a, (void *)b, (int)c, d);
            return 1;
        case SYS_pwritev:
            *result = d < 0 ? -EINVAL : file_write((int)a, (void *)b, (int)c, d);
            return 1;
        case SYS_open: *result = file_open(AT_FDCWD, (char *)a, (int)b); return 1;
        case SYS_openat: *result = file_open((int)a, (char *)b, (int)c); return 1;
        case SYS_creat:
            *result = file_open(AT_FDCWD, (char *)a, O_WRONLY | O_CREAT | O_TRUNC);
            return 1;
        case SYS_close: *result = descriptor_close((int)a); return 1;
        case SYS_lseek: *result = file_seek((int)a, b, (int)c); return 1;
        case SYS_ftruncate: *result = file_truncate((int)a, b); return 1;
        case SYS_truncate: *result = path_truncate((char *)a, b); return 1;
        case SYS_fstat: *result = file_status((int)a, (void *)b); return 1;
        case SYS_stat:
        case SYS_lstat: *result = path_status(AT_FDCWD, (char *)a, (void *)b, 0); return 1;
        case SYS_newfstatat: *result = path_status((int)a, (char *)b, (void *)c, (int)d); return 1;
        case SYS_access: *result = path_access(AT_FDCWD, (char *)a, (int)b); return 1;
        case SYS_faccessat: *result = path_access((int)a, (char *)b, (int)c); return 1;
        case SYS_utimensat: *result = path_set_times((int)a, (char *)b, (void *)c, (int)d); return 1;
        case SYS_dup: *result = descriptor_duplicate((int)a, 0); return 1;
        case SYS_dup2: *result = descriptor_duplicate_to((int)a, (int)b, 0, 1); return 1;
        case SYS_dup3: *result = descriptor_duplicate_to((int)a, (int)b, (int)c, 0); return 1;
        case SYS_fcntl: *result = descriptor_control((int)a, (int)b, c); return 1;
        case SYS_fsync:
        case SYS_fdatasync: *result = check_descriptor((int)a, 0); return 1;
        /* There are no terminals, and no devices with calls of their own. */
        case SYS_ioctl: *result = check_descriptor((int)a, -ENOTTY); return 1;
        case SYS_poll: *result = time_poll((void *)a, (unsigned long)b, c); return 1;
        default: return 0;
    }
}

static int call_directories(long number, long a, long b, long c, long d, long *result) {
    switch (number) {
        case SYS_getdents64: *result = directory_read((int)a, (void *)b, (size_t)c); return 1;
        case SYS_mkdir: *result = directory_make(AT_FDCWD, (char *)a); return 1;
        case SYS_mkdirat: *result = directory_make((int)a, (char *)b); return 1;
        case SYS_rmdir: *result = path_unlink(AT_FDCWD, (char *)a, AT_REMOVEDIR); return 1;
        case SYS_unlink: *result = path_unlink(AT_FDCWD, (char *)a, 0); return 1;
        case SYS_unlinkat: *result = path_unlink((int)a, (char *)b, (int)c); return 1;
        case SYS_rename: *result = path_rename(AT_FDCWD, (char *)a, AT_FDCWD, (char *)b); return 1;
        case SYS_renameat: *result = path_rename((int)a, (char *)b, (int)c, (char *)d); return 1;
        case SYS_readlink: *result = path_read_link(AT_FDCWD, (char *)a); return 1;
        case SYS_readlinkat: *result = path_read_link((int)a, (char *)b); return 1;
        case SYS_getcwd: *result = path_current((char *)a, (size_t)b); return 1;
        case SYS_chdir: *result = change_directory((char *)a); return 1;
        case SYS_fchdir: *result = change_directory_to((int)a); return 1;
        case SYS_umask: *result = set_mask(a); return 1;
        default: return 0;
    }
}

static int call_memory(long number, long a, long b, long c, long d, long e, long f, long *result) {
    switch (number) {
        case SYS_mmap:
            *result = memory_map((void *)a, (size_t)b, (int)c, (int)d, (int)e, (uint64_t)f);
            return 1;
        case SYS_munmap: *result = memory_unmap((void *)a, (size_t)b); return 1;
        case SYS_mremap: *result = memory_remap((void *)a, (size_t)b, (size_t)c, (int)d); return 1;
        case SYS_mprotect: *result = memory_protect((void *)a, (size_t)b, (int)c); return 1;
        case SYS_madvise: *result = memory_advise((void *)a, (size_t)b, (int)c); return 1;
        /* A break that cannot move: who asks for more takes mmap, as musl does. */
        case SYS_brk: *result = (long)HATCHERY_HEAP_ADDRESS; return 1;
        default: return 0;
    }
}

static int call_process(long number, long a, long b, long c, long d, long *result) {
    switch (number) {
        case SYS_exit:
        case SYS_exit_group: manner.exit((int)a);
        case SYS_getpid:
        case SYS_gettid:
        case SYS_set_tid_address:
        case SYS_getpgrp:
        case SYS_getpgid:
        case SYS_getsid: *result = PROCESS_ID; return 1;
        case SYS_getppid:
        case SYS_getuid:
        case SYS_geteuid:
        case SYS_getgid:
        case SYS_getegid:
        case SYS_sched_yield: *result = 0; return 1;
        case SYS_uname: *result = name_system((void *)a); return 1;
        case SYS_prlimit64: *result = process_limits((int)b, (void *)c, (void *)d); return 1;
        case SYS_getrlimit: *result = process_limits((int)a, NULL, (void *)b); return 1;
        case SYS_rt_sigaction:
            *result = signal_set_action((int)a, (void *)b, (void *)c, (size_t)d);
            return 1;
        case SYS_rt_sigprocmask:
            if (c != 0) {
                memset((void *)c, 0, (size_t)d);
            }
            *result = 0;
            return 1;
        case SYS_kill: *result = raise_in(a, b); return 1;
        case SYS_tkill: *result = raise_in(a, b); return 1;
        case SYS_tgkill: *result = raise_in(b, c); return 1;
        case SYS_futex: *result = wait_for_nobody((void *)a, b, c, (void *)d); return 1;
        default: return 0;
    }
}

static int call_time(long number, long a, long b, long c, long *result) {
    switch (number) {
        case SYS_clock_gettime: *result = time_get((int)a, (void *)b); return 1;
        case SYS_clock_getres: *result = time_resolution((int)a, (void *)b); return 1;
        case SYS_gettimeofday: *result = time_of_day((void *)a); return 1;
        case SYS_nanosleep: *result = time_sleep(CLOCK_MONOTONIC, 0, (void *)a); return 1;
        case SYS_clock_nanosleep: *result = time_sleep((int)a, (int)b, (void *)c); return 1;
        case SYS_getrandom: *result = fill_randomly((void *)a, (size_t)b); return 1;
        default: return 0;
    }
}

long __hatchery_system_call(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    if (call_files(number, a, b, c, d, &result) || call_directories(number, a, b, c, d, &result) ||
        call_memory(number, a, b, c, d, e, f, &result) || call_process(number, a, b, c, d, &result) ||
        call_time(number, a, b, c, &result)) {
        return result;
    }
    return report_absent(number);
}
