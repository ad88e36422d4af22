/* WASI's calls about paths. There are no symbolic links, so that no path leaves the folder it starts from. */
#include "../kernel/kernel.h"
#include "descriptors.h"

/* A path of the module's, and the directory from which it starts. */
struct path {
    struct descriptor *directory;
    const char *start;
    u32 bytes;
};

static u32 get_path(u32 number, enum wasi_right right, u32 address, u32 bytes, struct path *path) {
    const u32 error = descriptor_get_directory(number, WASI_RIGHT_BIT(right), &path->directory);
    path->start = module_bytes(address, bytes);
    path->bytes = bytes;
    if (error != WASI_SUCCESS) {
        return error;
    }
    if (path->start == NULL) {
        return WASI_FAULT;
    }
    /* "An absolute path is not allowed" (docs.md, "Filesystem paths"). */
    return bytes > 0 && path->start[0] == '/' ? WASI_NOTCAPABLE : WASI_SUCCESS;
}

/* What is found under a path. */
static u32 find_path(u32 number, enum wasi_right right, u32 address, u32 bytes, struct file **file) {
    struct path path;
    const u32 error = get_path(number, right, address, bytes, &path);
    return error != WASI_SUCCESS
               ? error
               : wasi_errno_of(files_find(path.directory->file, path.start, path.bytes, file));
}

/* Makes something under a path, or takes it away. */
static u32 change_path(u32 number, enum wasi_right right, u32 address, u32 bytes,
                       enum files_error (*change)(struct file *, const char *, size_t)) {
    struct path path;
    const u32 error = get_path(number, right, address, bytes, &path);
    return error != WASI_SUCCESS
               ? error
               : wasi_errno_of(change(path.directory->file, path.start, path.bytes));
}

struct wasi_filestat filestat_of(const struct file *file) {
    return (struct wasi_filestat){
        .device = 1,
        .inode = file->inode,
        .filetype = file_filetype(file),
        .links = file->parent != NULL || file->is_directory,
        .size = file->size,
        .accessed = file->accessed,
        .modified = file->modified,
        .changed = file->modified,
    };
}

u32 set_times(struct file *file, u64 accessed, u64 modified, u32 flags) {
    const u32 known = WASI_FSTFLAGS_ATIM | WASI_FSTFLAGS_ATIM_NOW | WASI_FSTFLAGS_MTIM |
                      WASI_FSTFLAGS_MTIM_NOW;
    const u32 both_accessed = WASI_FSTFLAGS_ATIM | WASI_FSTFLAGS_ATIM_NOW;
    const u32 both_modified = WASI_FSTFLAGS_MTIM | WASI_FSTFLAGS_MTIM_NOW;
    if ((flags & ~known) != 0 || (flags & both_accessed) == both_accessed ||
        (flags & both_modified) == both_modified) {
        return WASI_INVAL;
    }
    const u64 now = clock_wall();
    return wasi_errno_of(files_set_times(file,
                                         (flags & WASI_FSTFLAGS_ATIM) != 0       ? accessed
                                         : (flags & WASI_FSTFLAGS_ATIM_NOW) != 0 ? now
                                                                                 : file->accessed,
                                         (flags & WASI_FSTFLAGS_MTIM) != 0       ? modified
                                         : (flags & WASI_FSTFLAGS_MTIM_NOW) != 0 ? now
                                                                                 : file->modified));
}

/* What is found, or made, under a path. */
static u32 open_path(const struct path *path, u32 open_flags, struct file **file) {
    enum files_error error =
        files_find(path->directory->file, path->start, path->bytes, file);
    if (error == FILES_OK && (open_flags & (WASI_OFLAGS_CREAT | WASI_OFLAGS_EXCL)) ==
                                 (WASI_OFLAGS_CREAT | WASI_OFLAGS_EXCL)) {
        return WASI_EXIST;
    }
    if (error != FILES_NOT_FOUND || (open_flags & WASI_OFLAGS_CREAT) == 0) {
        return wasi_errno_of(error);
    }
    if ((path->directory->rights_base & WASI_RIGHT_BIT(WASI_RIGHT_PATH_CREATE_FILE)) == 0) {
        return WASI_NOTCAPABLE;
    }
    return wasi_errno_of(
        files_create(path->directory->file, path->start, path->bytes, 0, file));
}

WASI(path_open, u32 number, u32 lookup, u32 address, u32 bytes, u32 open_flags, u64 rights_base,
     u64 rights_inheriting, u32 flags, u32 result) {
    (void)unused, (void)lookup;
    struct path path;
    u32 error = get_path(number, WASI_RIGHT_PATH_OPEN, address, bytes, &path);
    if (error != WASI_SUCCESS) {
        return error;
    }
    const u32 exclusive = WASI_OFLAGS_DIRECTORY | WASI_OFLAGS_CREAT;
    if ((open_flags & exclusive) == exclusive || (flags & ~(u32)WASI_FDFLAGS_ALL) != 0) {
        return WASI_INVAL;
    }
    const uint64_t inheriting = path.directory->rights_inheriting;
    if ((rights_base & WASI_ALL_RIGHTS & ~inheriting) != 0 ||
        (rights_inheriting & WASI_ALL_RIGHTS & ~inheriting) != 0) {
        return WASI_NOTCAPABLE;
    }
    const int writes = (rights_base & WASI_RIGHT_BIT(WASI_RIGHT_FD_WRITE)) != 0;
    const int truncates = (open_flags & WASI_OFLAGS_TRUNC) != 0;
    if (truncates && (path.directory->rights_base &
                      WASI_RIGHT_BIT(WASI_RIGHT_PATH_FILESTAT_SET_SIZE)) == 0) {
        return WASI_NOTCAPABLE;
    }
    if (module_bytes(result, sizeof(u32)) == NULL) {
        return WASI_FAULT;
    }
    struct file *file;
    error = open_path(&path, open_flags, &file);
    if (error != WASI_SUCCESS) {
        return error;
    }
    if ((open_flags & WASI_OFLAGS_DIRECTORY) != 0 && !file->is_directory) {
        return WASI_NOTDIR;
    }
    if (file->is_directory && writes) {
        return WASI_ISDIR;
    }
    if (file->is_read_only && !file->is_directory && (writes || truncates)) {
        return WASI_ROFS;
    }
    if (truncates) {
        error = wasi_errno_of(files_set_size(file, 0));
        if (error != WASI_SUCCESS) {
            return error;
        }
    }
    u32 opened;
    error = descriptor_open(file, (uint16_t)flags, rights_base & WASI_ALL_RIGHTS,
                            rights_inheriting & WASI_ALL_RIGHTS, &opened);
    return error != WASI_SUCCESS ? error : WASI_PUT(result, opened);
}

WASI(path_filestat_get, u32 number, u32 lookup, u32 address, u32 bytes, u32 result) {
    (void)unused, (void)lookup;
    struct file *file;
    const u32 error = find_path(number, WASI_RIGHT_PATH_FILESTAT_GET, address, bytes, &file);
    if (error != WASI_SUCCESS) {
        return error;
    }
    const struct wasi_filestat status = filestat_of(file);
    return WASI_PUT(result, status);
}

WASI(path_filestat_set_times, u32 number, u32 lookup, u32 address, u32 bytes, u64 accessed,
     u64 modified, u32 flags) {
    (void)unused, (void)lookup;
    struct file *file;
    const u32 error = find_path(number, WASI_RIGHT_PATH_FILESTAT_SET_TIMES, address, bytes, &file);
    return error != WASI_SUCCESS ? error : set_times(file, accessed, modified, flags);
}

static enum files_error make_directory(struct file *directory, const char *path, size_t path_bytes) {
    struct file *created;
    return files_create(directory, path, path_bytes, 1, &created);
}

WASI(path_create_directory, u32 number, u32 address, u32 bytes) {
    (void)unused;
    return change_path(number, WASI_RIGHT_PATH_CREATE_DIRECTORY, address, bytes, make_directory);
}

WASI(path_unlink_file, u32 number, u32 address, u32 bytes) {
    (void)unused;
    return change_path(number, WASI_RIGHT_PATH_UNLINK_FILE, address, bytes, files_unlink);
}

WASI(path_remove_directory, u32 number, u32 address, u32 bytes) {
    (void)unused;
    return change_path(number, WASI_RIGHT_PATH_REMOVE_DIRECTORY, address, bytes,
                       files_remove_directory);
}

WASI(path_rename, u32 from_number, u32 from_address, u32 from_bytes, u32 to_number, u32 to_address,
     u32 to_bytes) {
    (void)unused;
    struct path from, to;
    u32 error =
        get_path(from_number, WASI_RIGHT_PATH_RENAME_SOURCE, from_address, from_bytes, &from);
    if (error == WASI_SUCCESS) {
        error = get_path(to_number, WASI_RIGHT_PATH_RENAME_TARGET, to_address, to_bytes, &to);
    }
    return error != WASI_SUCCESS
               ? error
               : wasi_errno_of(files_rename(from.directory->file, from.start, from.bytes,
                                            to.directory->file, to.start, to.bytes));
}

/* There are no links: what is asked for is none. */
WASI(path_readlink, u32 number, u32 address, u32 bytes, u32 buffer, u32 capacity, u32 result) {
    (void)unused, (void)buffer, (void)capacity, (void)result;
    struct file *file;
    const u32 error = find_path(number, WASI_RIGHT_PATH_READLINK, address, bytes, &file);
    return error != WASI_SUCCESS ? error : (u32)WASI_INVAL;
}

/* Directory entries of which the last may be cut, as the specification wants it. */
struct listing {
    unsigned char *to;
    u32 capacity, used;
};

static void append(struct listing *listing, const void *bytes, u32 count) {
    const u32 left = listing->capacity - listing->used;
    const u32 part = count < left ? count : left;
    memcpy(listing->to + listing->used, bytes, part);
    listing->used += part;
}

static void append_entry(struct listing *listing, const struct file *file, const char *name,
                         u32 name_bytes, u64 next) {
    const struct wasi_dirent entry = {
        .next = next,
        .inode = file->inode,
        .name_bytes = name_bytes,
        .filetype = file_filetype(file),
    };
    append(listing, &entry, sizeof entry);
    append(listing, name, name_bytes);
}

/* A cookie is 0 for the beginning, 1 behind `.`, 2 behind `..`, and else a file's position plus 2: behind it. */
WASI(fd_readdir, u32 number, u32 buffer, u32 capacity, u64 cookie, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error =
        descriptor_get_directory(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_READDIR), &descriptor);
    if (error != WASI_SUCCESS) {
        return error;
    }
    struct listing listing = {module_bytes(buffer, capacity), capacity, 0};
    if (listing.to == NULL) {
        return WASI_FAULT;
    }
    const struct file *directory = descriptor->file;
    const struct file *parent = directory->parent == NULL ? directory : directory->parent;
    if (cookie == 0) {
        append_entry(&listing, directory, ".", 1, 1);
    }
    if (cookie <= 1) {
        append_entry(&listing, parent, "..", 2, 2);
    }
    for (const struct file *child = directory->first_child;
         child != NULL && listing.used < capacity; child = child->next) {
        if (child->position + 2 > cookie) {
            append_entry(&listing, child, child->name, child->name_bytes, child->position + 2);
        }
    }
    return WASI_PUT(result, listing.used);
}
