/* Paths, as they are for a process with a current directory. There are no links in them. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "../files/files.h"
#include "posix.h"

/* NULL: the root. */
static struct file *current;

long files_errno(int error) {
    switch ((enum files_error)error) {
        case FILES_OK: return 0;
        case FILES_NOT_FOUND: return -ENOENT;
        case FILES_EXISTS: return -EEXIST;
        case FILES_NOT_A_DIRECTORY: return -ENOTDIR;
        case FILES_IS_A_DIRECTORY: return -EISDIR;
        case FILES_READ_ONLY: return -EROFS;
        case FILES_NO_SPACE: return -ENOSPC;
        case FILES_NOT_EMPTY: return -ENOTEMPTY;
        case FILES_NAME_TOO_LONG: return -ENAMETOOLONG;
        case FILES_INVALID: return -EINVAL;
        case FILES_TOO_LARGE: return -EFBIG;
        case FILES_OUTSIDE: return -ENOENT;
    }
    return -EIO;
}

/* Writes a directory's path so that it ends at `end`; returns its start, NULL if it is too long. */
static char *path_before(const struct file *directory, char *start, char *end) {
    for (; directory->parent != NULL; directory = directory->parent) {
        if (end - start < directory->name_bytes + 1) {
            return NULL;
        }
        end -= directory->name_bytes;
        memcpy(end, directory->name, directory->name_bytes);
        *--end = '/';
    }
    return end;
}

static long append_part(struct absolute_path *path, const char *part, size_t bytes) {
    if (bytes == 0 || (bytes == 1 && part[0] == '.')) {
        return 0;
    }
    if (bytes == 2 && memcmp(part, "..", 2) == 0) {
        /* What is left must be a directory, for `..` to be in it. */
        struct file *file;
        const enum files_error error = files_find(files_root(), path->text, path->bytes, &file);
        if (error != FILES_OK) {
            return files_errno(error);
        }
        if (!file->is_directory) {
            return -ENOTDIR;
        }
        while (path->bytes > 1 && path->text[--path->bytes] != '/') {
        }
        return 0;
    }
    if (path->bytes + 1 + bytes > PATH_BYTES) {
        return -ENAMETOOLONG;
    }
    if (path->bytes > 1) {
        path->text[path->bytes++] = '/';
    }
    memcpy(path->text + path->bytes, part, bytes);
    path->bytes += bytes;
    return 0;
}

static long append_path(struct absolute_path *path, const char *text, size_t bytes) {
    for (size_t at = 0; at < bytes;) {
        const char *slash = memchr(text + at, '/', bytes - at);
        const size_t part_bytes = slash == NULL ? bytes - at : (size_t)(slash - (text + at));
        const long error = append_part(path, text + at, part_bytes);
        if (error != 0) {
            return error;
        }
        at += part_bytes + 1;
    }
    /* A slash at the end asks for a directory, as `.` there does. */
    const int wants_directory = bytes > 0 && (text[bytes - 1] == '/' ||
        (bytes > 1 && text[bytes - 1] == '.' && text[bytes - 2] == '/'));
    if (wants_directory && path->bytes > 1) {
        path->text[path->bytes++] = '/';
    }
    return 0;
}

long path_resolve(int directory, const char *path, struct absolute_path *resolved) {
    const size_t bytes = strlen(path);
    if (bytes == 0) {
        return -ENOENT;
    }
    if (bytes >= PATH_BYTES) {
        return -ENAMETOOLONG;
    }
    resolved->text[0] = '/';
    resolved->bytes = 1;
    if (path[0] == '/') {
        return append_path(resolved, path, bytes);
    }
    const struct file *start = current;
    if (directory != AT_FDCWD) {
        const struct description *description = description_of(directory);
        if (description == NULL) {
            return -EBADF;
        }
        if (description->kind != DESCRIPTION_FILE || !description->file->is_directory) {
            return -ENOTDIR;
        }
        start = description->file;
    }
    if (start != NULL) {
        char before[PATH_BYTES];
        const char *end = before + sizeof before;
        const char *from = path_before(start, before, before + sizeof before);
        const long error =
            from == NULL ? -ENAMETOOLONG : append_path(resolved, from, (size_t)(end - from));
        if (error != 0) {
            return error;
        }
    }
    return append_path(resolved, path, bytes);
}

long path_find(int directory, const char *path, struct file **found) {
    struct absolute_path resolved;
    const long error = path_resolve(directory, path, &resolved);
    return error != 0 ? error
                      : files_errno(files_find(files_root(), resolved.text, resolved.bytes, found));
}

long path_change_directory(struct file *directory) {
    if (!directory->is_directory) {
        return -ENOTDIR;
    }
    files_open(directory);
    if (current != NULL) {
        files_close(current);
    }
    current = directory;
    return 0;
}

long path_current(char *buffer, size_t capacity) {
    char text[PATH_BYTES];
    char *end = text + sizeof text - 1;
    *end = 0;
    char *start = current == NULL ? end : path_before(current, text, end);
    if (start == NULL) {
        return -ENAMETOOLONG;
    }
    if (start == end) {
        *--start = '/';
    }
    const size_t bytes = (size_t)(end - start) + 1;
    if (bytes > capacity) {
        return -ERANGE;
    }
    memcpy(buffer, start, bytes);
    return (long)bytes;
}
