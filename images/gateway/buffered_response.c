#include "buffered_response.h"

#include <string.h>

#include "../kernel/kernel.h"

enum { BODY_BYTES = 128 << 10 };

static unsigned char body[BODY_BYTES];
static struct response response;
static int is_sent;

void buffered_response_begin(uint32_t status, const char *head, size_t head_bytes) {
    is_sent = 0;
    response = (struct response){
        .status = status,
        .head = head,
        .head_bytes = head_bytes,
        .body = body,
        .body_bytes = 0,
    };
}

static void send(void) {
    if (is_sent) {
        response_push(body, response.body_bytes);
    } else {
        response.flags = HATCHERY_RESPONSE_STREAM;
        response_begin(&response);
        is_sent = 1;
    }
    response.body_bytes = 0;
}

void buffered_response_write(const void *bytes, size_t count) {
    if (count > sizeof body - response.body_bytes) {
        send();
    }
    if (count > sizeof body) {
        response_push(bytes, count);
        return;
    }
    memcpy(body + response.body_bytes, bytes, count);
    response.body_bytes += count;
}

void buffered_response_flush(void) {
    if (!is_sent || response.body_bytes > 0) {
        send();
    }
}

int buffered_response_is_sent(void) {
    return is_sent;
}

void buffered_response_end(void) {
    if (!is_sent) {
        respond(&response);
        return;
    }
    if (response.body_bytes > 0) {
        send();
    }
    response_end();
}
