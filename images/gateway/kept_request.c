#include "kept_request.h"

#include <string.h>

#include "../kernel/kernel.h"

/* The head, and what had come of the body and was not read: each may have filled a window of its own. */
static char head[HATCHERY_REQUEST_CAPACITY];
static char body[HATCHERY_REQUEST_CAPACITY];
static int is_head_kept;
static size_t head_bytes;
static size_t body_at, body_end;

void kept_request_begin(void) {
    is_head_kept = 0;
    body_at = body_end = 0;
}

static void keep_head(void) {
    if (!is_head_kept) {
        const char *first = request_head(&head_bytes);
        memcpy(head, first, head_bytes);
        is_head_kept = 1;
    }
}

void kept_request_save(void) {
    keep_head();
    if (body_at == body_end) {
        int has_more;
        const size_t bytes = request_body_first(&has_more).count;
        body_at = 0;
        body_end = bytes == 0 ? 0 : request_body_read(body, bytes);
    }
}

const char *kept_request_head(size_t *bytes) {
    if (!is_head_kept) {
        return request_head(bytes);
    }
    *bytes = head_bytes;
    return head;
}

size_t kept_request_read(void *buffer, size_t capacity) {
    if (capacity == 0) {
        return 0;
    }
    if (body_at == body_end) {
        int has_more;
        /* What comes next is laid over the head. */
        if (request_body_first(&has_more).count == 0 && has_more) {
            keep_head();
        }
        return request_body_read(buffer, capacity);
    }
    const size_t left = body_end - body_at;
    const size_t part = left < capacity ? left : capacity;
    memcpy(buffer, body + body_at, part);
    body_at += part;
    return part;
}
