#include "descriptors.h"

enum { DESCRIPTORS_MAX = 1024, STANDARD_STREAMS = 3 };

static struct descriptor descriptors[DESCRIPTORS_MAX];

static const uint64_t STREAM_RIGHTS =
    WASI_RIGHT_BIT(WASI_RIGHT_FD_READ) | WASI_RIGHT_BIT(WASI_RIGHT_FD_WRITE) |
    WASI_RIGHT_BIT(WASI_RIGHT_FD_FDSTAT_SET_FLAGS) | WASI_RIGHT_BIT(WASI_RIGHT_FD_FILESTAT_GET) |
    WASI_RIGHT_BIT(WASI_RIGHT_POLL_FD_READWRITE) | WASI_RIGHT_BIT(WASI_RIGHT_FD_SYNC) |
    WASI_RIGHT_BIT(WASI_RIGHT_FD_DATASYNC);

/* What cannot be asked of a directory: it has no content and no position. */
static const uint64_t REGULAR_FILE_RIGHTS =
    WASI_RIGHT_BIT(WASI_RIGHT_FD_READ) | WASI_RIGHT_BIT(WASI_RIGHT_FD_WRITE) |
    WASI_RIGHT_BIT(WASI_RIGHT_FD_SEEK) | WASI_RIGHT_BIT(WASI_RIGHT_FD_TELL) |
    WASI_RIGHT_BIT(WASI_RIGHT_FD_ADVISE) | WASI_RIGHT_BIT(WASI_RIGHT_FD_ALLOCATE) |
    WASI_RIGHT_BIT(WASI_RIGHT_FD_FILESTAT_SET_SIZE);

void descriptors_begin(void) {
    for (u32 i = 0; i < DESCRIPTORS_MAX; i++) {
        if (descriptors[i].kind != DESCRIPTOR_CLOSED) {
            descriptor_close(&descriptors[i]);
        }
    }
    for (u32 i = 0; i < STANDARD_STREAMS; i++) {
        descriptors[i] = (struct descriptor){
            .kind = (enum descriptor_kind)(DESCRIPTOR_INPUT + i),
            .rights_base = STREAM_RIGHTS,
        };
    }
    u32 number;
    descriptor_open(files_root(), 0, WASI_ALL_RIGHTS, WASI_ALL_RIGHTS, &number);
    descriptors[number].is_preopened = 1;
}

u32 descriptor_get(u32 number, uint64_t rights, struct descriptor **found) {
    if (number >= DESCRIPTORS_MAX || descriptors[number].kind == DESCRIPTOR_CLOSED) {
        return WASI_BADF;
    }
    *found = &descriptors[number];
    return (rights & ~(*found)->rights_base) == 0 ? WASI_SUCCESS : WASI_NOTCAPABLE;
}

u32 descriptor_get_directory(u32 number, uint64_t rights, struct descriptor **found) {
    const u32 error = descriptor_get(number, 0, found);
    if (error != WASI_SUCCESS) {
        return error;
    }
    if ((*found)->kind != DESCRIPTOR_FILE || !(*found)->file->is_directory) {
        return WASI_NOTDIR;
    }
    return descriptor_get(number, rights, found);
}

u32 descriptor_open(struct file *file, uint16_t flags, uint64_t rights_base,
                    uint64_t rights_inheriting, u32 *number) {
    for (u32 i = 0; i < DESCRIPTORS_MAX; i++) {
        if (descriptors[i].kind == DESCRIPTOR_CLOSED) {
            descriptors[i] = (struct descriptor){
                .kind = DESCRIPTOR_FILE,
                .flags = flags,
                .rights_base = rights_base & ~(file->is_directory ? REGULAR_FILE_RIGHTS : 0),
                .rights_inheriting = rights_inheriting,
                .file = file,
            };
            files_open(file);
            *number = i;
            return WASI_SUCCESS;
        }
    }
    return WASI_MFILE;
}

void descriptor_close(struct descriptor *descriptor) {
    if (descriptor->kind == DESCRIPTOR_FILE) {
        files_close(descriptor->file);
    }
    *descriptor = (struct descriptor){.kind = DESCRIPTOR_CLOSED};
}

enum wasi_filetype file_filetype(const struct file *file) {
    return file->is_directory ? WASI_FILETYPE_DIRECTORY : WASI_FILETYPE_REGULAR_FILE;
}

enum wasi_filetype descriptor_filetype(const struct descriptor *descriptor) {
    return descriptor->kind == DESCRIPTOR_FILE ? file_filetype(descriptor->file)
                                               : WASI_FILETYPE_CHARACTER_DEVICE;
}

u32 wasi_errno_of(enum files_error error) {
    static const uint8_t numbers[] = {
        [FILES_OK] = WASI_SUCCESS,
        [FILES_NOT_FOUND] = WASI_NOENT,
        [FILES_EXISTS] = WASI_EXIST,
        [FILES_NOT_A_DIRECTORY] = WASI_NOTDIR,
        [FILES_IS_A_DIRECTORY] = WASI_ISDIR,
        [FILES_READ_ONLY] = WASI_ROFS,
        [FILES_NO_SPACE] = WASI_NOSPC,
        [FILES_NOT_EMPTY] = WASI_NOTEMPTY,
        [FILES_NAME_TOO_LONG] = WASI_NAMETOOLONG,
        [FILES_INVALID] = WASI_INVAL,
        [FILES_TOO_LARGE] = WASI_FBIG,
        [FILES_OUTSIDE] = WASI_NOTCAPABLE,
    };
    return numbers[error];
}
