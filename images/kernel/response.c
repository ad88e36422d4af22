/* The response, laid into the response window. */
#include <string.h>

#include "platform.h"

static enum { NOT_BEGUN, BODY_OPEN, COMPLETE } state;
static int in_background;

/* Lays the frame with as much of the body as fits; returns how much that was. */
static size_t lay_frame(const struct response *response, uint32_t flags, size_t body_bytes) {
    struct hatchery_response frame = {
        .status = response->status,
        .flags = response->flags | flags,
        .head_bytes = (uint32_t)response->head_bytes,
        .body_bytes = (uint32_t)body_bytes,
    };
    unsigned char *window = channel(HATCHERY_RESPONSE_OFFSET);
    memcpy(window, &frame, sizeof frame);
    memcpy(window + sizeof frame, response->head, response->head_bytes);
    memcpy(window + sizeof frame + response->head_bytes, response->body, body_bytes);
    control()->response_bytes = (uint32_t)(sizeof frame + response->head_bytes + body_bytes);
    return body_bytes;
}

static size_t body_room(const struct response *response) {
    return HATCHERY_RESPONSE_WINDOW_BYTES - sizeof(struct hatchery_response) - response->head_bytes;
}

static void begin(const struct response *response) {
    if (state != NOT_BEGUN || response->head_bytes > RESPONSE_HEAD_CAPACITY) {
        static const char text[] = "a second response, or one with too large a head";
        panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
    }
    in_background = (response->flags & HATCHERY_RESPONSE_BACKGROUND) != 0;
    state = BODY_OPEN;
}

void respond(const struct response *response) {
    if (response->body_bytes > body_room(response)) {
        response_begin(response);
        response_end();
        return;
    }
    begin(response);
    lay_frame(response, 0, response->body_bytes);
    state = COMPLETE;
    hypercall(HATCHERY_RESPOND);
}

void response_begin(const struct response *response) {
    begin(response);
    const size_t room = body_room(response);
    const size_t first = response->body_bytes < room ? response->body_bytes : room;
    lay_frame(response, HATCHERY_RESPONSE_MORE, first);
    hypercall(HATCHERY_RESPOND);
    response_push((const unsigned char *)response->body + first, response->body_bytes - first);
}

void response_push(const void *bytes, size_t count) {
    const unsigned char *from = bytes;
    while (count > 0) {
        const size_t part =
            count < HATCHERY_RESPONSE_WINDOW_BYTES ? count : HATCHERY_RESPONSE_WINDOW_BYTES;
        memcpy(channel(HATCHERY_RESPONSE_OFFSET), from, part);
        control()->response_bytes = (uint32_t)part;
        hypercall(HATCHERY_PUSH);
        from += part;
        count -= part;
    }
}

void response_end(void) {
    control()->response_bytes = 0;
    state = COMPLETE;
    hypercall(HATCHERY_PUSH);
}

void response_settle(void) {
    if (state != COMPLETE) {
        static const char text[] = "the application returned without a complete response";
        panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
    }
    const int finish = in_background;
    state = NOT_BEGUN;
    in_background = 0;
    if (finish) {
        hypercall(HATCHERY_FINISH);
    }
}
