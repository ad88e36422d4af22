#include "kept_request.h"

#include <string.h>

#include "../kernel/kernel.h"

static char window[HATCHERY_REQUEST_CAPACITY];
static int is_saved;
static size_t head_bytes;
static size_t body_at, body_end;

void kept_request_begin(void) {
    is_saved = 0;
    body_at = body_end = 0;
}

void kept_request_save(void) {
    if (is_saved) {
        return;
    }
    const char *head = request_head(&head_bytes);
    int has_more;
    const size_t body_bytes = request_body_first(&has_more).count;
    /* Both lie in one window. */
    memcpy(window, head, head_bytes);
    body_at = head_bytes;
    body_end = body_at + (body_bytes == 0 ? 0 : request_body_read(window + body_at, body_bytes));
    is_saved = 1;
}

const char *kept_request_head(size_t *bytes) {
    if (!is_saved) {
        return request_head(bytes);
    }
    *bytes = head_bytes;
    return window;
}

size_t kept_request_read(void *buffer, size_t capacity) {
    if (body_at == body_end) {
        return capacity == 0 ? 0 : request_body_read(buffer, capacity);
    }
    const size_t left = body_end - body_at;
    const size_t part = left < capacity ? left : capacity;
    memcpy(buffer, window + body_at, part);
    body_at += part;
    return part;
}
