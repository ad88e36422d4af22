#include "request_functions.h"

#include <string.h>

#include "../kernel/kernel.h"
#include "native.h"
#include "text.h"

enum { CHUNK_BYTES = 65536 };

/* What is unread of the body's first part: in the request window, or in `saved`. */
static struct bytes unread;
static bool has_more;
/* Whether the request window is no longer the request's. */
static bool is_saved;
static engine_pointer saved_body;
static js_value saved_head = JS_UNDEFINED;

void request_functions_reset(void) {
    int more;
    unread = request_body_first(&more);
    has_more = more != 0;
    if (is_saved) {
        is_saved = false;
        engine_free(saved_body);
        js_release(saved_head);
        saved_body = 0;
        saved_head = JS_UNDEFINED;
    }
}

/* The request's header rows, name and value in turn, each with a NUL behind it. */
static js_value header_rows(void) {
    size_t head_bytes;
    const char *head = request_head(&head_bytes);
    const char *end = head + head_bytes;
    const char *rows = head + strlen(head) + 1; /* skips the method, then the URL */
    rows += strlen(rows) + 1;
    return engine_string_latin1(rows, (size_t)(end - rows));
}

void request_functions_save(void) {
    if (is_saved) {
        return;
    }
    is_saved = true;
    saved_head = header_rows();
    if (unread.count > 0) {
        saved_body = engine_copy(unread.start, unread.count);
        unread.start = engine_memory(saved_body);
    }
}

static void skip(size_t count) {
    unread.start = (const char *)unread.start + count;
    unread.count -= count;
}

/* headers(): the header rows. */
NATIVE(headers) {
    IGNORE_REST, (void)arguments;
    return is_saved ? js_duplicate(saved_head) : header_rows();
}

/* bodyHasMore(): whether there is more of the body than the functions below give. */
NATIVE(body_has_more) {
    IGNORE_REST, (void)arguments;
    return JS_BOOLEAN(has_more);
}

/* bodyText(): what is unread of the body's first part, decoded from UTF-8. */
NATIVE(body_text) {
    IGNORE_REST, (void)arguments;
    skip(utf8_mark_bytes(unread.start, unread.count));
    const js_value text = engine_string_utf8(unread.start, unread.count);
    skip(unread.count);
    return text;
}

/* bodyBytes(): the same as a Uint8Array. */
static js_value next_bytes(size_t count) {
    const engine_pointer copy = engine_copy(unread.start, count);
    const js_value bytes = JS(NewUint8ArrayCopy, copy, (u32)count);
    engine_free(copy);
    skip(count);
    return bytes;
}

NATIVE(body_bytes) {
    IGNORE_REST, (void)arguments;
    return next_bytes(unread.count);
}

/* bodyChunk(): its next bytes as a Uint8Array, undefined at its end. */
NATIVE(body_chunk) {
    IGNORE_REST, (void)arguments;
    if (unread.count == 0) {
        return JS_UNDEFINED;
    }
    return next_bytes(unread.count < CHUNK_BYTES ? unread.count : CHUNK_BYTES);
}

void request_functions_define(js_value host) {
    engine_define_function(host, "headers", headers, 0);
    engine_define_function(host, "bodyHasMore", body_has_more, 0);
    engine_define_function(host, "bodyText", body_text, 0);
    engine_define_function(host, "bodyBytes", body_bytes, 0);
    engine_define_function(host, "bodyChunk", body_chunk, 0);
}
