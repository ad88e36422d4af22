/* The request, as the host laid it into the request window. */
#include <string.h>

#include "platform.h"

static const char *head;
static size_t head_length;
static const unsigned char *body_next;
static size_t body_left;
static int body_has_more;

void request_begin(void) {
    struct hatchery_request frame;
    memcpy(&frame, channel(HATCHERY_REQUEST_OFFSET), sizeof frame);
    head = (const char *)channel(HATCHERY_REQUEST_OFFSET + sizeof frame);
    head_length = frame.head_bytes;
    body_next = (const unsigned char *)head + frame.head_bytes;
    body_left = frame.body_bytes;
    body_has_more = (frame.flags & HATCHERY_REQUEST_MORE) != 0;
}

const char *request_head(size_t *head_bytes) {
    *head_bytes = head_length;
    return head;
}

struct bytes request_body_first(int *has_more) {
    *has_more = body_has_more;
    return (struct bytes){body_next, body_left};
}

size_t request_body_read(void *buffer, size_t capacity) {
    if (body_left == 0 && body_has_more) {
        hypercall(HATCHERY_PULL);
        body_next = channel(HATCHERY_REQUEST_OFFSET);
        body_left = control()->request_bytes;
        body_has_more = body_left > 0;
    }
    const size_t part = body_left < capacity ? body_left : capacity;
    memcpy(buffer, body_next, part);
    body_next += part;
    body_left -= part;
    return part;
}
