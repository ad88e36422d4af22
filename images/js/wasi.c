/*
 * The WASI calls that the engine and its extensions make. There are no files: the only descriptors
 * are the standard streams, and what the engine prints there goes to the log.
 */
#include <string.h>

#include "../kernel/kernel.h"
#include "engine.h"

/* Error numbers and layouts: WASI snapshot preview 1 (witx/typenames.witx). */
enum { WASI_SUCCESS = 0, WASI_BADF = 8, WASI_INVAL = 28, WASI_SPIPE = 70 };
enum { WASI_CLOCK_REALTIME = 0, WASI_CLOCK_MONOTONIC = 1 };
enum { WASI_FILETYPE_CHARACTER_DEVICE = 2, FDSTAT_BYTES = 24, LAST_STANDARD_STREAM = 2 };

typedef struct Z_wasi_snapshot_preview1_instance_t wasi;

u32 Z_wasi_snapshot_preview1Z_clock_time_get(wasi *unused, u32 clock, u64 precision, u32 result) {
    (void)unused, (void)precision;
    uint64_t now;
    if (clock == WASI_CLOCK_REALTIME) {
        now = clock_wall();
    } else if (clock == WASI_CLOCK_MONOTONIC) {
        now = clock_monotonic();
    } else {
        return WASI_INVAL;
    }
    memcpy(engine_memory(result), &now, sizeof now);
    return WASI_SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_random_get(wasi *unused, u32 buffer, u32 count) {
    (void)unused;
    random_fill(engine_memory(buffer), count);
    return WASI_SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_close(wasi *unused, u32 descriptor) {
    (void)unused, (void)descriptor;
    return WASI_BADF;
}

u32 Z_wasi_snapshot_preview1Z_fd_fdstat_get(wasi *unused, u32 descriptor, u32 result) {
    (void)unused;
    if (descriptor > LAST_STANDARD_STREAM) {
        return WASI_BADF;
    }
    unsigned char *status = engine_memory(result);
    memset(status, 0, FDSTAT_BYTES);
    status[0] = WASI_FILETYPE_CHARACTER_DEVICE;
    return WASI_SUCCESS;
}

u32 Z_wasi_snapshot_preview1Z_fd_seek(wasi *unused, u32 descriptor, u64 offset, u32 whence,
                                      u32 result) {
    (void)unused, (void)offset, (void)whence, (void)result;
    return descriptor > LAST_STANDARD_STREAM ? WASI_BADF : WASI_SPIPE;
}

u32 Z_wasi_snapshot_preview1Z_fd_write(wasi *unused, u32 descriptor, u32 vectors, u32 count,
                                       u32 result) {
    (void)unused;
    if (descriptor > LAST_STANDARD_STREAM) {
        return WASI_BADF;
    }
    uint32_t written = 0;
    for (u32 i = 0; i < count; i++) {
        struct {
            uint32_t address, bytes;
        } vector;
        memcpy(&vector, engine_memory(vectors + i * (u32)sizeof vector), sizeof vector);
        if (vector.bytes > 0) {
            log_write(HATCHERY_LOG_ERROR, engine_memory(vector.address), vector.bytes);
        }
        written += vector.bytes;
    }
    memcpy(engine_memory(result), &written, sizeof written);
    return WASI_SUCCESS;
}
