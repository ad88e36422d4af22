/* Calls about directories and the names in them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "../files/files.h"
#include "posix.h"

/* What getdents64 gives (getdents(2)); musl's struct dirent is laid out in the same way. */
enum { ENTRY_HEAD_BYTES = offsetof(struct dirent, d_name), ENTRY_ALIGNMENT = 8, CHILDREN = 2 };

/*
 * The name at a directory's offset: 0 is `.`, 1 is `..`, then come the children, the offset behind one
 * being CHILDREN more than its position. NULL behind the last.
 */
static const struct file *entry_at(const struct file *directory, uint64_t offset,
                                   const char **name, size_t *bytes) {
    if (offset < CHILDREN) {
        *name = "..";
        *bytes = (size_t)offset + 1;
        return offset == 0 || directory->parent == NULL ? directory : directory->parent;
    }
    const struct file *child = directory->first_child;
    while (child != NULL && child->position + CHILDREN <= offset) {
        child = child->next;
    }
    if (child != NULL) {
        *name = child->name;
        *bytes = child->name_bytes;
    }
    return child;
}

long directory_read(int descriptor, void *buffer, size_t capacity) {
    struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    if (description->kind != DESCRIPTION_FILE || !description->file->is_directory) {
        return -ENOTDIR;
    }
    size_t done = 0;
    for (;;) {
        const char *name;
        size_t bytes;
        const struct file *file = entry_at(description->file, description->offset, &name, &bytes);
        if (file == NULL) {
            return (long)done;
        }
        const size_t entry_bytes = (ENTRY_HEAD_BYTES + bytes + 1 + ENTRY_ALIGNMENT - 1) /
                                   ENTRY_ALIGNMENT * ENTRY_ALIGNMENT;
        if (entry_bytes > capacity - done) {
            return done > 0 ? (long)done : -EINVAL;
        }
        description->offset = description->offset < CHILDREN ? description->offset + 1
                                                             : file->position + CHILDREN;
        struct dirent *entry = (struct dirent *)((char *)buffer + done);
        entry->d_ino = file->inode;
        entry->d_off = (off_t)description->offset;
        entry->d_reclen = (unsigned short)entry_bytes;
        entry->d_type = file->is_directory ? DT_DIR : DT_REG;
        memset((char *)entry + ENTRY_HEAD_BYTES, 0, entry_bytes - ENTRY_HEAD_BYTES);
        memcpy((char *)entry + ENTRY_HEAD_BYTES, name, bytes);
        done += entry_bytes;
    }
}

long directory_make(int directory, const char *path) {
    struct absolute_path resolved;
    struct file *made;
    const long error = path_resolve(directory, path, &resolved);
    return error != 0
               ? error
               : files_errno(files_create(files_root(), resolved.text, resolved.bytes, 1, &made));
}

long path_unlink(int directory, const char *path, int flags) {
    struct absolute_path resolved;
    if ((flags & ~AT_REMOVEDIR) != 0) {
        return -EINVAL;
    }
    const long error = path_resolve(directory, path, &resolved);
    if (error != 0) {
        return error;
    }
    return files_errno((flags & AT_REMOVEDIR) != 0
                           ? files_remove_directory(files_root(), resolved.text, resolved.bytes)
                           : files_unlink(files_root(), resolved.text, resolved.bytes));
}

long path_rename(int from_directory, const char *from, int to_directory, const char *to) {
    struct absolute_path from_path, to_path;
    long error = path_resolve(from_directory, from, &from_path);
    error = error != 0 ? error : path_resolve(to_directory, to, &to_path);
    return error != 0 ? error
                      : files_errno(files_rename(files_root(), from_path.text, from_path.bytes,
                                                 files_root(), to_path.text, to_path.bytes));
}

/* There are no symbolic links: what is there is none. */
long path_read_link(int directory, const char *path) {
    struct file *file;
    const long error = path_find(directory, path, &file);
    return error != 0 ? error : -EINVAL;
}
