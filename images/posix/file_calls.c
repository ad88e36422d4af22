/* Calls about files and what is in them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "../files/files.h"
#include "../kernel/kernel.h"
#include "posix.h"

enum { BLOCK_BYTES = 4096, STATUS_BLOCK_BYTES = 512, ONE_DEVICE = 1 };
enum { NANOSECONDS = 1000000000 };

static int may_read(const struct description *description) {
    return (description->flags & O_ACCMODE) != O_WRONLY;
}

static int may_write(const struct description *description) {
    return (description->flags & O_ACCMODE) != O_RDONLY;
}

/* -- Opening. -- */

static enum description_kind device_of(const struct absolute_path *path) {
    static const struct {
        const char *path;
        enum description_kind kind;
    } devices[] = {
        {"/dev/null", DESCRIPTION_NULL},      {"/dev/zero", DESCRIPTION_ZERO},
        {"/dev/random", DESCRIPTION_RANDOM},  {"/dev/urandom", DESCRIPTION_RANDOM},
        {"/dev/stdin", DESCRIPTION_INPUT},    {"/dev/stdout", DESCRIPTION_OUTPUT},
        {"/dev/stderr", DESCRIPTION_ERROR},
    };
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        if (path->bytes == strlen(devices[i].path) &&
            memcmp(path->text, devices[i].path, path->bytes) == 0) {
            return devices[i].kind;
        }
    }
    return DESCRIPTION_FREE;
}

static long check_opening(const struct file *file, int flags) {
    const int writes = (flags & O_ACCMODE) != O_RDONLY;
    if (file->is_directory && (writes || (flags & O_CREAT) != 0)) {
        return -EISDIR;
    }
    if (!file->is_directory && (flags & O_DIRECTORY) != 0) {
        return -ENOTDIR;
    }
    return file->is_read_only && (writes || (flags & O_TRUNC) != 0) ? -EROFS : 0;
}

long file_open(int directory, const char *path, int flags) {
    struct absolute_path resolved;
    long error = path_resolve(directory, path, &resolved);
    if (error != 0) {
        return error;
    }
    const enum description_kind device = device_of(&resolved);
    if (device != DESCRIPTION_FREE) {
        return (flags & O_DIRECTORY) != 0 ? -ENOTDIR : description_open(device, flags, NULL);
    }
    struct file *file;
    enum files_error found = files_find(files_root(), resolved.text, resolved.bytes, &file);
    const int is_new = found == FILES_NOT_FOUND && (flags & O_CREAT) != 0;
    if (is_new) {
        found = files_create(files_root(), resolved.text, resolved.bytes, 0, &file);
    }
    if (found != FILES_OK) {
        return files_errno(found);
    }
    if (!is_new) {
        if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) {
            return -EEXIST;
        }
        error = check_opening(file, flags);
        if (error != 0) {
            return error;
        }
    }
    const long descriptor = description_open(DESCRIPTION_FILE, flags, file);
    if (descriptor < 0) {
        if (is_new) {
            files_unlink(files_root(), resolved.text, resolved.bytes);
        }
        return descriptor;
    }
    if (!is_new && (flags & O_TRUNC) != 0) {
        files_set_size(file, 0);
    }
    return descriptor;
}

/* -- Reading and writing. -- */

/* Bytes into one part; a file's offset is given and moved. */
static long read_part(struct description *description, void *buffer, size_t capacity,
                      uint64_t *offset) {
    switch (description->kind) {
        case DESCRIPTION_INPUT: return (long)manner.read(buffer, capacity);
        case DESCRIPTION_ZERO: memset(buffer, 0, capacity); return (long)capacity;
        case DESCRIPTION_RANDOM: random_fill(buffer, capacity); return (long)capacity;
        case DESCRIPTION_FILE: {
            const size_t count = files_read(description->file, *offset, buffer, capacity);
            *offset += count;
            return (long)count;
        }
        default: return 0;
    }
}

static long check_parts(const struct iovec *parts, int count) {
    size_t bytes = 0;
    if (count < 0 || count > IOV_MAX) {
        return -EINVAL;
    }
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len > SSIZE_MAX - bytes) {
            return -EINVAL;
        }
        bytes += parts[i].iov_len;
    }
    return 0;
}

/* An offset that is not negative is the caller's own: the description's stays. */
static long check_offset(const struct description *description, int64_t offset) {
    return offset >= 0 && description->kind != DESCRIPTION_FILE ? -ESPIPE : 0;
}

long file_read(int descriptor, const struct iovec *parts, int count, int64_t offset) {
    struct description *description = description_of(descriptor);
    if (description == NULL || !may_read(description) || description->kind == DESCRIPTION_OUTPUT ||
        description->kind == DESCRIPTION_ERROR) {
        return -EBADF;
    }
    if (description->kind == DESCRIPTION_FILE && description->file->is_directory) {
        return -EISDIR;
    }
    long error = check_parts(parts, count);
    error = error != 0 ? error : check_offset(description, offset);
    if (error != 0) {
        return error;
    }
    uint64_t at = offset >= 0 ? (uint64_t)offset : description->offset;
    long total = 0;
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len == 0) {
            continue;
        }
        const long bytes = read_part(description, parts[i].iov_base, parts[i].iov_len, &at);
        total += bytes;
        if ((size_t)bytes < parts[i].iov_len) {
            break;
        }
    }
    if (offset < 0) {
        description->offset = at;
    }
    return total;
}

static long write_part(struct description *description, const void *bytes, size_t count,
                       uint64_t *offset) {
    switch (description->kind) {
        case DESCRIPTION_OUTPUT: manner.write(bytes, count); return (long)count;
        case DESCRIPTION_ERROR: manner.write_error(bytes, count); return (long)count;
        case DESCRIPTION_FILE: {
            const long error = files_errno(files_write(description->file, *offset, bytes, count));
            *offset += error == 0 ? count : 0;
            return error == 0 ? (long)count : error;
        }
        default: return (long)count;
    }
}

long file_write(int descriptor, const struct iovec *parts, int count, int64_t offset) {
    struct description *description = description_of(descriptor);
    if (description == NULL || !may_write(description) || description->kind == DESCRIPTION_INPUT) {
        return -EBADF;
    }
    long error = check_parts(parts, count);
    error = error != 0 ? error : check_offset(description, offset);
    if (error != 0) {
        return error;
    }
    uint64_t at = offset >= 0 ? (uint64_t)offset : description->offset;
    if (description->kind == DESCRIPTION_FILE && (description->flags & O_APPEND) != 0) {
        at = description->file->size;
    }
    long total = 0;
    for (int i = 0; i < count; i++) {
        if (parts[i].iov_len == 0) {
            continue;
        }
        const long bytes = write_part(description, parts[i].iov_base, parts[i].iov_len, &at);
        if (bytes < 0) {
            total = total > 0 ? total : bytes;
            break;
        }
        total += bytes;
    }
    if (offset < 0) {
        description->offset = at;
    }
    return total;
}

long file_seek(int descriptor, int64_t offset, int whence) {
    struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    if (description->kind != DESCRIPTION_FILE) {
        return -ESPIPE;
    }
    uint64_t from;
    switch (whence) {
        case SEEK_SET: from = 0; break;
        case SEEK_CUR: from = description->offset; break;
        case SEEK_END: from = description->file->size; break;
        default: return -EINVAL;
    }
    int64_t to;
    if (__builtin_add_overflow((int64_t)from, offset, &to)) {
        return -EOVERFLOW;
    }
    if (to < 0) {
        return -EINVAL;
    }
    description->offset = (uint64_t)to;
    return to;
}

long file_truncate(int descriptor, int64_t size) {
    const struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    if (description->kind != DESCRIPTION_FILE || !may_write(description) || size < 0) {
        return -EINVAL;
    }
    return files_errno(files_set_size(description->file, (uint64_t)size));
}

long path_truncate(const char *path, int64_t size) {
    struct file *file;
    const long error = path_find(AT_FDCWD, path, &file);
    if (error != 0) {
        return error;
    }
    return size < 0 ? -EINVAL : files_errno(files_set_size(file, (uint64_t)size));
}

/* -- What is known of a file. -- */

static struct timespec time_of(uint64_t nanoseconds) {
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / NANOSECONDS),
                             .tv_nsec = (long)(nanoseconds % NANOSECONDS)};
}

static void describe(const struct file *file, struct stat *status) {
    const mode_t writable = file->is_read_only ? 0 : 0200;
    *status = (struct stat){
        .st_dev = ONE_DEVICE,
        .st_ino = file->inode,
        .st_nlink = file->parent == NULL && file != files_root() ? 0 : 1,
        .st_mode = file->is_directory ? S_IFDIR | 0555 | writable : S_IFREG | 0444 | writable,
        .st_size = (off_t)file->size,
        .st_blksize = BLOCK_BYTES,
        .st_blocks = (blkcnt_t)((file->size + STATUS_BLOCK_BYTES - 1) / STATUS_BLOCK_BYTES),
        .st_atim = time_of(file->accessed),
        .st_mtim = time_of(file->modified),
        .st_ctim = time_of(file->modified),
    };
}

static void describe_device(enum description_kind kind, struct stat *status) {
    const int is_stream = kind == DESCRIPTION_INPUT || kind == DESCRIPTION_OUTPUT ||
                          kind == DESCRIPTION_ERROR;
    *status = (struct stat){
        .st_dev = ONE_DEVICE,
        .st_nlink = 1,
        .st_mode = is_stream ? S_IFIFO | 0600 : S_IFCHR | 0666,
        .st_blksize = BLOCK_BYTES,
    };
}

long file_status(int descriptor, struct stat *status) {
    const struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    if (description->kind == DESCRIPTION_FILE) {
        describe(description->file, status);
    } else {
        describe_device(description->kind, status);
    }
    return 0;
}

long path_status(int directory, const char *path, struct stat *status, int flags) {
    if (*path == 0 && (flags & AT_EMPTY_PATH) != 0 && directory != AT_FDCWD) {
        return file_status(directory, status);
    }
    struct absolute_path resolved;
    const long error = path_resolve(directory, path, &resolved);
    if (error != 0) {
        return error;
    }
    const enum description_kind device = device_of(&resolved);
    if (device != DESCRIPTION_FREE) {
        describe_device(device, status);
        return 0;
    }
    struct file *file;
    const enum files_error found = files_find(files_root(), resolved.text, resolved.bytes, &file);
    if (found == FILES_OK) {
        describe(file, status);
    }
    return files_errno(found);
}

long path_access(int directory, const char *path, int mode) {
    struct stat status;
    const long error = path_status(directory, path, &status, 0);
    if (error != 0) {
        return error;
    }
    if ((mode & W_OK) != 0 && (status.st_mode & 0200) == 0) {
        return -EROFS;
    }
    return (mode & X_OK) != 0 && (status.st_mode & 0111) == 0 ? -EACCES : 0;
}

static uint64_t time_to_set(const struct timespec *time, uint64_t before) {
    if (time == NULL || time->tv_nsec == UTIME_NOW) {
        return clock_wall();
    }
    if (time->tv_nsec == UTIME_OMIT) {
        return before;
    }
    return (uint64_t)time->tv_sec * NANOSECONDS + (uint64_t)time->tv_nsec;
}

static int is_time(const struct timespec *time) {
    return time->tv_nsec == UTIME_NOW || time->tv_nsec == UTIME_OMIT ||
           (time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NANOSECONDS);
}

long path_set_times(int directory, const char *path, const struct timespec times[2], int flags) {
    struct file *file;
    if (times != NULL && (!is_time(&times[0]) || !is_time(&times[1]))) {
        return -EINVAL;
    }
    /* futimens is this call without a path. */
    if (path == NULL || (*path == 0 && (flags & AT_EMPTY_PATH) != 0)) {
        const struct description *description = description_of(directory);
        if (description == NULL || description->kind != DESCRIPTION_FILE) {
            return -EBADF;
        }
        file = description->file;
    } else {
        const long error = path_find(directory, path, &file);
        if (error != 0) {
            return error;
        }
    }
    return files_errno(files_set_times(file,
                                       time_to_set(times == NULL ? NULL : &times[0], file->accessed),
                                       time_to_set(times == NULL ? NULL : &times[1], file->modified)));
}
