/* WASI snapshot preview 1: numbers and layouts, from witx/typenames.witx of the specification. */
#ifndef HATCHERY_WASM_WASI_H
#define HATCHERY_WASM_WASI_H

#include <string.h>

#include "module.h"

typedef struct Z_wasi_snapshot_preview1_instance_t wasi;

/* Defines a call: `unused` is the instance of the module that was imported. */
#define WASI(name, ...) u32 Z_wasi_snapshot_preview1Z_##name(wasi *unused __VA_OPT__(, ) __VA_ARGS__)

enum wasi_errno {
    WASI_SUCCESS = 0,
    WASI_BADF = 8,
    WASI_EXIST = 20,
    WASI_FAULT = 21,
    WASI_FBIG = 22,
    WASI_INVAL = 28,
    WASI_ISDIR = 31,
    WASI_MFILE = 33,
    WASI_NAMETOOLONG = 37,
    WASI_NOENT = 44,
    WASI_NOSPC = 51,
    WASI_NOSYS = 52,
    WASI_NOTDIR = 54,
    WASI_NOTEMPTY = 55,
    WASI_NOTSOCK = 57,
    WASI_OVERFLOW = 61,
    WASI_ROFS = 69,
    WASI_SPIPE = 70,
    WASI_NOTCAPABLE = 76
};

enum wasi_filetype {
    WASI_FILETYPE_CHARACTER_DEVICE = 2,
    WASI_FILETYPE_DIRECTORY = 3,
    WASI_FILETYPE_REGULAR_FILE = 4
};

enum { WASI_FDFLAGS_APPEND = 1, WASI_FDFLAGS_ALL = 31 };
enum { WASI_OFLAGS_CREAT = 1, WASI_OFLAGS_DIRECTORY = 2, WASI_OFLAGS_EXCL = 4, WASI_OFLAGS_TRUNC = 8 };
enum {
    WASI_FSTFLAGS_ATIM = 1,
    WASI_FSTFLAGS_ATIM_NOW = 2,
    WASI_FSTFLAGS_MTIM = 4,
    WASI_FSTFLAGS_MTIM_NOW = 8
};
enum { WASI_WHENCE_SET = 0, WASI_WHENCE_CUR = 1, WASI_WHENCE_END = 2 };
enum { WASI_CLOCK_REALTIME = 0, WASI_CLOCK_MONOTONIC = 1 };
enum { WASI_EVENTTYPE_CLOCK = 0, WASI_EVENTTYPE_FD_READ = 1, WASI_EVENTTYPE_FD_WRITE = 2 };
enum { WASI_SUBSCRIPTION_CLOCK_ABSTIME = 1 };

enum wasi_right {
    WASI_RIGHT_FD_DATASYNC,
    WASI_RIGHT_FD_READ,
    WASI_RIGHT_FD_SEEK,
    WASI_RIGHT_FD_FDSTAT_SET_FLAGS,
    WASI_RIGHT_FD_SYNC,
    WASI_RIGHT_FD_TELL,
    WASI_RIGHT_FD_WRITE,
    WASI_RIGHT_FD_ADVISE,
    WASI_RIGHT_FD_ALLOCATE,
    WASI_RIGHT_PATH_CREATE_DIRECTORY,
    WASI_RIGHT_PATH_CREATE_FILE,
    WASI_RIGHT_PATH_LINK_SOURCE,
    WASI_RIGHT_PATH_LINK_TARGET,
    WASI_RIGHT_PATH_OPEN,
    WASI_RIGHT_FD_READDIR,
    WASI_RIGHT_PATH_READLINK,
    WASI_RIGHT_PATH_RENAME_SOURCE,
    WASI_RIGHT_PATH_RENAME_TARGET,
    WASI_RIGHT_PATH_FILESTAT_GET,
    WASI_RIGHT_PATH_FILESTAT_SET_SIZE,
    WASI_RIGHT_PATH_FILESTAT_SET_TIMES,
    WASI_RIGHT_FD_FILESTAT_GET,
    WASI_RIGHT_FD_FILESTAT_SET_SIZE,
    WASI_RIGHT_FD_FILESTAT_SET_TIMES,
    WASI_RIGHT_PATH_SYMLINK,
    WASI_RIGHT_PATH_REMOVE_DIRECTORY,
    WASI_RIGHT_PATH_UNLINK_FILE,
    WASI_RIGHT_POLL_FD_READWRITE,
    WASI_RIGHTS
};
#define WASI_ALL_RIGHTS ((UINT64_C(1) << WASI_RIGHTS) - 1)
#define WASI_RIGHT_BIT(right) (UINT64_C(1) << (right))

/* Records, as they lie in the module's memory. */
struct wasi_fdstat {
    uint8_t filetype;
    uint16_t flags;
    uint64_t rights_base, rights_inheriting;
};
struct wasi_filestat {
    uint64_t device, inode;
    uint8_t filetype;
    uint64_t links, size, accessed, modified, changed;
};
struct wasi_prestat {
    uint8_t tag; /* 0: a directory */
    uint32_t name_bytes;
};
struct wasi_dirent {
    uint64_t next, inode;
    uint32_t name_bytes;
    uint8_t filetype;
};
struct wasi_vector {
    uint32_t address, bytes;
};
struct wasi_subscription {
    uint64_t userdata;
    uint8_t tag;
    union {
        struct {
            uint32_t id;
            uint64_t timeout, precision;
            uint16_t flags;
        } clock;
        uint32_t descriptor;
    };
};
struct wasi_event {
    uint64_t userdata;
    uint16_t error;
    uint8_t type;
    uint64_t bytes;
    uint16_t flags;
};
_Static_assert(sizeof(struct wasi_fdstat) == 24 && sizeof(struct wasi_filestat) == 64 &&
                   sizeof(struct wasi_prestat) == 8 && sizeof(struct wasi_dirent) == 24 &&
                   sizeof(struct wasi_subscription) == 48 && sizeof(struct wasi_event) == 32,
               "the layouts of the specification");

/* Copies a record to a module's address. */
static inline u32 wasi_put(u32 address, const void *record, u32 bytes) {
    void *to = module_bytes(address, bytes);
    if (to == NULL) {
        return WASI_FAULT;
    }
    memcpy(to, record, bytes);
    return WASI_SUCCESS;
}
#define WASI_PUT(address, record) wasi_put(address, &(record), sizeof(record))

#endif
