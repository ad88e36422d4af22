#include "responding.h"

#include <string.h>

#include "../gateway/buffered_response.h"
#include "../gateway/kept_request.h"
#include "../kernel/kernel.h"
#include "module.h"

typedef struct Z_hatchery_instance_t hatchery;

enum { RESULT_FAILED = -1 };

static int has_begun;
static char head[RESPONSE_HEAD_CAPACITY];

void responding_begin(void) {
    kept_request_begin();
    has_begun = 0;
}

void responding_end(void) {
    if (!has_begun) {
        static const char text[] = "hatchery_handle returned without a response";
        panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
    }
    buffered_response_end();
}

/* request_head(buffer, capacity) -> bytes: the head as in REQUEST FRAME of the ABI, as much as fits. */
u32 Z_hatcheryZ_request_head(hatchery *unused, u32 buffer, u32 capacity) {
    (void)unused;
    size_t bytes;
    const char *request = kept_request_head(&bytes);
    const u32 part = bytes < capacity ? (u32)bytes : capacity;
    void *to = module_bytes(buffer, part);
    if (to == NULL) {
        return (u32)RESULT_FAILED;
    }
    memcpy(to, request, part);
    return (u32)bytes;
}

/* request_body_read(buffer, capacity) -> bytes: 0 at its end. */
u32 Z_hatcheryZ_request_body_read(hatchery *unused, u32 buffer, u32 capacity) {
    (void)unused;
    void *to = module_bytes(buffer, capacity);
    if (to == NULL || capacity == 0) {
        return to == NULL ? (u32)RESULT_FAILED : 0;
    }
    return (u32)kept_request_read(to, capacity);
}

/* response_begin(status, head, head_bytes) -> 0, or -1: twice, a status or a head that cannot be. */
u32 Z_hatcheryZ_response_begin(hatchery *unused, u32 given_status, u32 given_head, u32 bytes) {
    (void)unused;
    const char *from = module_bytes(given_head, bytes);
    if (from == NULL || has_begun || given_status < 200 || given_status > 599 ||
        bytes > sizeof head) {
        return (u32)RESULT_FAILED;
    }
    memcpy(head, from, bytes);
    buffered_response_begin(given_status, head, bytes);
    has_begun = 1;
    return 0;
}

/* response_write(bytes, count) -> 0, or -1 before response_begin. */
u32 Z_hatcheryZ_response_write(hatchery *unused, u32 address, u32 count) {
    (void)unused;
    const void *from = module_bytes(address, count);
    if (from == NULL || !has_begun) {
        return (u32)RESULT_FAILED;
    }
    buffered_response_write(from, count);
    return 0;
}

/* response_flush() -> 0, or -1 before response_begin: what was written goes to the client now. */
u32 Z_hatcheryZ_response_flush(hatchery *unused) {
    (void)unused;
    if (!has_begun) {
        return (u32)RESULT_FAILED;
    }
    buffered_response_flush();
    return 0;
}

/* log(level, text, bytes) -> 0, or -1: levels as in the ABI. */
u32 Z_hatcheryZ_log(hatchery *unused, u32 level, u32 text, u32 bytes) {
    (void)unused;
    const char *from = module_bytes(text, bytes);
    const int is_level = level == HATCHERY_LOG_DEBUG || level == HATCHERY_LOG_INFO ||
                         level == HATCHERY_LOG_WARN || level == HATCHERY_LOG_ERROR;
    if (from == NULL || !is_level) {
        return (u32)RESULT_FAILED;
    }
    log_write((enum hatchery_log_level)level, from, bytes);
    return 0;
}
