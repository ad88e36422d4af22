/* WASI's calls about descriptors. */
#include "../gateway/gateway.h"
#include "../gateway/kept_request.h"
#include "../kernel/kernel.h"
#include "descriptors.h"

/* The whole vector lies in the module's memory; so does each part, and their sum fits. */
static u32 check_vectors(u32 vectors, u32 count, u64 *bytes) {
    *bytes = 0;
    if (count > UINT32_MAX / sizeof(struct wasi_vector) ||
        module_bytes(vectors, count * (u32)sizeof(struct wasi_vector)) == NULL) {
        return WASI_FAULT;
    }
    for (u32 i = 0; i < count; i++) {
        struct wasi_vector vector;
        memcpy(&vector, module_bytes(vectors + i * (u32)sizeof vector, sizeof vector), sizeof vector);
        if (module_bytes(vector.address, vector.bytes) == NULL) {
            return WASI_FAULT;
        }
        *bytes += vector.bytes;
    }
    return *bytes > UINT32_MAX ? WASI_INVAL : WASI_SUCCESS;
}

static struct wasi_vector vector_at(u32 vectors, u32 index) {
    struct wasi_vector vector;
    memcpy(&vector, module_bytes(vectors + index * (u32)sizeof vector, sizeof vector), sizeof vector);
    /* A read before may have written over the vectors: then nothing of this one is taken. */
    if (module_bytes(vector.address, vector.bytes) == NULL) {
        vector.bytes = 0;
    }
    return vector;
}

/* A stream or a regular file: what bytes can be read from or written to. */
static u32 get_non_directory(u32 number, uint64_t rights, struct descriptor **found) {
    const u32 error = descriptor_get(number, 0, found);
    if (error == WASI_SUCCESS && (*found)->kind == DESCRIPTOR_FILE && (*found)->file->is_directory) {
        return WASI_ISDIR;
    }
    return error != WASI_SUCCESS ? error : descriptor_get(number, rights, found);
}

/* A regular file, for calls that streams and directories refuse whatever rights they have. */
static u32 get_regular(u32 number, uint64_t rights, struct descriptor **found) {
    const u32 error = get_non_directory(number, 0, found);
    if (error == WASI_SUCCESS && (*found)->kind != DESCRIPTOR_FILE) {
        return WASI_SPIPE;
    }
    return error != WASI_SUCCESS ? error : descriptor_get(number, rights, found);
}

/* *written: what there was room for, where that is not all; an error where it is nothing. */
static u32 write_file(struct descriptor *descriptor, u32 vectors, u32 count, u64 offset, u32 *written) {
    *written = 0;
    for (u32 i = 0; i < count; i++) {
        const struct wasi_vector vector = vector_at(vectors, i);
        const enum files_error error = files_write(
            descriptor->file, offset + *written, module_bytes(vector.address, vector.bytes),
            vector.bytes);
        if (error != FILES_OK) {
            return *written > 0 ? (u32)WASI_SUCCESS : wasi_errno_of(error);
        }
        *written += vector.bytes;
    }
    return WASI_SUCCESS;
}

static void write_stream(struct descriptor *descriptor, u32 vectors, u32 count) {
    for (u32 i = 0; i < count; i++) {
        const struct wasi_vector vector = vector_at(vectors, i);
        const void *from = module_bytes(vector.address, vector.bytes);
        if (descriptor->kind == DESCRIPTOR_ERROR) {
            gateway_write_error(from, vector.bytes);
        } else if (program_is_serving() && !module_has_handle) {
            gateway_write(from, vector.bytes);
        } else {
            /* Nobody reads it as a response. */
            log_write(HATCHERY_LOG_INFO, from, vector.bytes);
        }
    }
}

WASI(fd_write, u32 number, u32 vectors, u32 count, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    u64 bytes;
    u32 error = get_non_directory(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_WRITE), &descriptor);
    if (error == WASI_SUCCESS) {
        error = check_vectors(vectors, count, &bytes);
    }
    if (error == WASI_SUCCESS && module_bytes(result, sizeof(u32)) == NULL) {
        error = WASI_FAULT;
    }
    if (error != WASI_SUCCESS) {
        return error;
    }
    if (descriptor->kind == DESCRIPTOR_INPUT) {
        return WASI_BADF;
    }
    u32 written = (u32)bytes;
    if (descriptor->kind == DESCRIPTOR_FILE) {
        if ((descriptor->flags & WASI_FDFLAGS_APPEND) != 0) {
            descriptor->offset = descriptor->file->size;
        }
        error = write_file(descriptor, vectors, count, descriptor->offset, &written);
        if (error != WASI_SUCCESS) {
            return error;
        }
        descriptor->offset += written;
    } else {
        write_stream(descriptor, vectors, count);
    }
    return WASI_PUT(result, written);
}

WASI(fd_pwrite, u32 number, u32 vectors, u32 count, u64 offset, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    u64 bytes;
    const uint64_t rights = WASI_RIGHT_BIT(WASI_RIGHT_FD_WRITE) | WASI_RIGHT_BIT(WASI_RIGHT_FD_SEEK);
    u32 error = get_regular(number, rights, &descriptor);
    if (error == WASI_SUCCESS) {
        error = check_vectors(vectors, count, &bytes);
    }
    if (error == WASI_SUCCESS && module_bytes(result, sizeof(u32)) == NULL) {
        error = WASI_FAULT;
    }
    u32 written = 0;
    if (error == WASI_SUCCESS) {
        error = write_file(descriptor, vectors, count, offset, &written);
    }
    return error != WASI_SUCCESS ? error : WASI_PUT(result, written);
}

/* Standard input: as much as there is now, at least one byte unless it is at its end. */
static u32 read_input(u32 vectors, u32 count) {
    u32 done = 0;
    for (u32 i = 0; i < count; i++) {
        const struct wasi_vector vector = vector_at(vectors, i);
        if (vector.bytes == 0) {
            continue;
        }
        const size_t part =
            kept_request_read(module_bytes(vector.address, vector.bytes), vector.bytes);
        done += (u32)part;
        /* More may be on its way; whoever wants it asks again. */
        if (part < vector.bytes) {
            break;
        }
    }
    return done;
}

static u32 read_file(struct descriptor *descriptor, u32 vectors, u32 count, u64 offset) {
    u32 done = 0;
    for (u32 i = 0; i < count; i++) {
        const struct wasi_vector vector = vector_at(vectors, i);
        const size_t part = files_read(descriptor->file, offset + done,
                                       module_bytes(vector.address, vector.bytes), vector.bytes);
        done += (u32)part;
        if (part < vector.bytes) {
            break;
        }
    }
    return done;
}

WASI(fd_read, u32 number, u32 vectors, u32 count, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    u64 bytes;
    u32 error = get_non_directory(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_READ), &descriptor);
    if (error == WASI_SUCCESS) {
        error = check_vectors(vectors, count, &bytes);
    }
    if (error != WASI_SUCCESS) {
        return error;
    }
    u32 done = 0;
    if (descriptor->kind == DESCRIPTOR_FILE) {
        done = read_file(descriptor, vectors, count, descriptor->offset);
        descriptor->offset += done;
    } else if (descriptor->kind != DESCRIPTOR_INPUT) {
        return WASI_BADF;
    } else if (program_is_serving() && !module_has_handle) {
        done = read_input(vectors, count);
    }
    return WASI_PUT(result, done);
}

WASI(fd_pread, u32 number, u32 vectors, u32 count, u64 offset, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    u64 bytes;
    const uint64_t rights = WASI_RIGHT_BIT(WASI_RIGHT_FD_READ) | WASI_RIGHT_BIT(WASI_RIGHT_FD_SEEK);
    u32 error = get_regular(number, rights, &descriptor);
    if (error == WASI_SUCCESS) {
        error = check_vectors(vectors, count, &bytes);
    }
    if (error != WASI_SUCCESS) {
        return error;
    }
    const u32 done = read_file(descriptor, vectors, count, offset);
    return WASI_PUT(result, done);
}

WASI(fd_seek, u32 number, u64 delta, u32 whence, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    /* One that asks where it is needs less (as the specification has it). */
    const int is_tell = whence == WASI_WHENCE_CUR && delta == 0;
    const uint64_t right = WASI_RIGHT_BIT(is_tell ? WASI_RIGHT_FD_TELL : WASI_RIGHT_FD_SEEK);
    u32 error = get_regular(number, right, &descriptor);
    if (error != WASI_SUCCESS) {
        return error;
    }
    if (whence > WASI_WHENCE_END) {
        return WASI_INVAL;
    }
    const u64 base = whence == WASI_WHENCE_SET   ? 0
                     : whence == WASI_WHENCE_CUR ? descriptor->offset
                                                 : descriptor->file->size;
    int64_t offset;
    if (__builtin_add_overflow((int64_t)base, (int64_t)delta, &offset)) {
        return WASI_OVERFLOW;
    }
    if (offset < 0) {
        return WASI_INVAL;
    }
    const u64 position = (u64)offset;
    error = WASI_PUT(result, position);
    if (error == WASI_SUCCESS) {
        descriptor->offset = position;
    }
    return error;
}

WASI(fd_tell, u32 number, u32 result) {
    return Z_wasi_snapshot_preview1Z_fd_seek(unused, number, 0, WASI_WHENCE_CUR, result);
}

WASI(fd_close, u32 number) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error = descriptor_get(number, 0, &descriptor);
    if (error == WASI_SUCCESS) {
        descriptor_close(descriptor);
    }
    return error;
}

WASI(fd_renumber, u32 from, u32 to) {
    (void)unused;
    struct descriptor *source, *target;
    u32 error = descriptor_get(from, 0, &source);
    if (error == WASI_SUCCESS) {
        error = descriptor_get(to, 0, &target);
    }
    if (error != WASI_SUCCESS || from == to) {
        return error;
    }
    descriptor_close(target);
    *target = *source;
    *source = (struct descriptor){.kind = DESCRIPTOR_CLOSED};
    return WASI_SUCCESS;
}

WASI(fd_fdstat_get, u32 number, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error = descriptor_get(number, 0, &descriptor);
    if (error != WASI_SUCCESS) {
        return error;
    }
    const struct wasi_fdstat status = {
        .filetype = descriptor_filetype(descriptor),
        .flags = descriptor->flags,
        .rights_base = descriptor->rights_base,
        .rights_inheriting = descriptor->rights_inheriting,
    };
    return WASI_PUT(result, status);
}

WASI(fd_fdstat_set_flags, u32 number, u32 flags) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error =
        descriptor_get(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_FDSTAT_SET_FLAGS), &descriptor);
    if (error != WASI_SUCCESS) {
        return error;
    }
    if ((flags & ~(u32)WASI_FDFLAGS_ALL) != 0) {
        return WASI_INVAL;
    }
    descriptor->flags = (uint16_t)flags;
    return WASI_SUCCESS;
}

WASI(fd_fdstat_set_rights, u32 number, u64 base, u64 inheriting) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error = descriptor_get(number, 0, &descriptor);
    if (error != WASI_SUCCESS) {
        return error;
    }
    /* They can be given up, not taken. */
    if ((base & ~descriptor->rights_base) != 0 ||
        (inheriting & ~descriptor->rights_inheriting) != 0) {
        return WASI_NOTCAPABLE;
    }
    descriptor->rights_base = base;
    descriptor->rights_inheriting = inheriting;
    return WASI_SUCCESS;
}

WASI(fd_filestat_get, u32 number, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error =
        descriptor_get(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_FILESTAT_GET), &descriptor);
    if (error != WASI_SUCCESS) {
        return error;
    }
    struct wasi_filestat status = {.filetype = descriptor_filetype(descriptor), .links = 1};
    if (descriptor->kind == DESCRIPTOR_FILE) {
        status = filestat_of(descriptor->file);
    }
    return WASI_PUT(result, status);
}

WASI(fd_filestat_set_size, u32 number, u64 size) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error =
        get_regular(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_FILESTAT_SET_SIZE), &descriptor);
    return error != WASI_SUCCESS ? error : wasi_errno_of(files_set_size(descriptor->file, size));
}

WASI(fd_filestat_set_times, u32 number, u64 accessed, u64 modified, u32 flags) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error =
        descriptor_get(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_FILESTAT_SET_TIMES), &descriptor);
    if (error != WASI_SUCCESS) {
        return error;
    }
    return descriptor->kind != DESCRIPTOR_FILE
               ? (u32)WASI_BADF
               : set_times(descriptor->file, accessed, modified, flags);
}

WASI(fd_allocate, u32 number, u64 offset, u64 bytes) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error = get_regular(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_ALLOCATE), &descriptor);
    if (error != WASI_SUCCESS) {
        return error;
    }
    if (bytes == 0 || bytes > UINT64_MAX - offset) {
        return bytes == 0 ? WASI_INVAL : WASI_FBIG;
    }
    /* The space is taken when it is written to; the size is what can be seen of it. */
    return offset + bytes <= descriptor->file->size
               ? (u32)WASI_SUCCESS
               : wasi_errno_of(files_set_size(descriptor->file, offset + bytes));
}

WASI(fd_advise, u32 number, u64 offset, u64 bytes, u32 advice) {
    (void)unused, (void)offset, (void)bytes;
    enum { ADVICE_MAX = 5 };
    struct descriptor *descriptor;
    const u32 error = get_regular(number, WASI_RIGHT_BIT(WASI_RIGHT_FD_ADVISE), &descriptor);
    return error != WASI_SUCCESS ? error : advice > ADVICE_MAX ? (u32)WASI_INVAL : WASI_SUCCESS;
}

/* Nothing is kept back. */
static u32 synchronize(u32 number, enum wasi_right right) {
    struct descriptor *descriptor;
    return descriptor_get(number, WASI_RIGHT_BIT(right), &descriptor);
}

WASI(fd_sync, u32 number) {
    (void)unused;
    return synchronize(number, WASI_RIGHT_FD_SYNC);
}

WASI(fd_datasync, u32 number) {
    (void)unused;
    return synchronize(number, WASI_RIGHT_FD_DATASYNC);
}

WASI(fd_prestat_get, u32 number, u32 result) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error = descriptor_get(number, 0, &descriptor);
    if (error != WASI_SUCCESS || !descriptor->is_preopened) {
        return WASI_BADF;
    }
    const struct wasi_prestat status = {.name_bytes = sizeof PREOPENED_NAME - 1};
    return WASI_PUT(result, status);
}

WASI(fd_prestat_dir_name, u32 number, u32 buffer, u32 bytes) {
    (void)unused;
    struct descriptor *descriptor;
    const u32 error = descriptor_get(number, 0, &descriptor);
    if (error != WASI_SUCCESS || !descriptor->is_preopened) {
        return WASI_BADF;
    }
    return bytes < sizeof PREOPENED_NAME - 1
               ? (u32)WASI_NAMETOOLONG
               : wasi_put(buffer, PREOPENED_NAME, sizeof PREOPENED_NAME - 1);
}
