#include "host_functions.h"

#include "../kernel/kernel.h"
#include "native.h"
#include "text.h"

static bool is_begun;
static bool is_completed;
static bool goes_on;

void host_functions_reset(void) {
    is_begun = false;
    is_completed = false;
    goes_on = false;
}

bool response_was_begun(void) {
    return is_begun;
}

bool response_was_completed(void) {
    return is_completed;
}

bool response_goes_on(void) {
    return goes_on;
}

/*
 * respond(status, head, body, flags): the whole response; `body` is a string, a Uint8Array or
 * undefined, `head` is no longer than RESPONSE_HEAD_CAPACITY. begin(…): the same, but more of the
 * body follows by push(bytes), then end().
 */
static js_value send_response(engine_pointer arguments, bool needs_background,
                              void (*send)(const struct response *)) {
    struct text head;
    struct text body;
    if (!text_of_head(&head, engine_argument(arguments, 1)) ||
        !text_of_body(&body, engine_argument(arguments, 2))) {
        return JS_EXCEPTION;
    }
    const struct response response = {
        .status = (uint32_t)engine_argument(arguments, 0),
        .flags = (uint32_t)engine_argument(arguments, 3) |
                 (needs_background ? HATCHERY_RESPONSE_BACKGROUND : 0),
        .head = head.start,
        .head_bytes = head.bytes,
        .body = body.start,
        .body_bytes = body.bytes,
    };
    is_begun = true;
    goes_on = (response.flags & HATCHERY_RESPONSE_BACKGROUND) != 0;
    send(&response);
    text_release(&head);
    text_release(&body);
    return JS_UNDEFINED;
}

NATIVE(respond_whole) {
    IGNORE_REST;
    const js_value result = send_response(arguments, engine_has_jobs(), respond);
    is_completed = is_begun;
    return result;
}

NATIVE(respond_begin) {
    IGNORE_REST;
    /* The stream's source may have something to do behind its last chunk. */
    return send_response(arguments, true, response_begin);
}

NATIVE(respond_push) {
    IGNORE_REST;
    struct text bytes;
    if (!text_of_body(&bytes, engine_argument(arguments, 0))) {
        return JS_EXCEPTION;
    }
    response_push(bytes.start, bytes.bytes);
    text_release(&bytes);
    return JS_UNDEFINED;
}

NATIVE(respond_end) {
    IGNORE_REST, (void)arguments;
    is_completed = true;
    response_end();
    return JS_UNDEFINED;
}

/* log(level, text) */
NATIVE(log_text) {
    IGNORE_REST;
    struct text text;
    if (!text_of_body(&text, engine_argument(arguments, 1))) {
        return JS_EXCEPTION;
    }
    log_write((enum hatchery_log_level)(uint32_t)engine_argument(arguments, 0), text.start,
              text.bytes);
    text_release(&text);
    return JS_UNDEFINED;
}

/* fillRandom(bytes): fills the Uint8Array. */
NATIVE(fill_random) {
    IGNORE_REST;
    struct text bytes;
    if (!text_of_body(&bytes, engine_argument(arguments, 0))) {
        return JS_EXCEPTION;
    }
    random_fill((void *)(uintptr_t)bytes.start, bytes.bytes);
    return JS_UNDEFINED;
}

/* The number of nanoseconds as milliseconds. */
static js_value milliseconds(uint64_t nanoseconds) {
    return JS(NewNumber, (double)nanoseconds / 1e6);
}

/* now(): milliseconds since the request was handed over. */
NATIVE(now) {
    IGNORE_REST, (void)arguments;
    return milliseconds(clock_monotonic() - clock_request_start());
}

/* timeOrigin(): that moment, in milliseconds since 1970. */
NATIVE(time_origin) {
    IGNORE_REST, (void)arguments;
    return milliseconds(clock_wall() - (clock_monotonic() - clock_request_start()));
}

/* Math.random(): 53 random bits as a fraction, as in ECMAScript's note on its uniformity. */
NATIVE(math_random) {
    IGNORE_REST, (void)arguments;
    uint64_t bits;
    random_fill(&bits, sizeof bits);
    return JS(NewNumber, (double)(bits >> 11) * 0x1p-53);
}

void host_functions_define(js_value host) {
    engine_define_function(host, "respond", respond_whole, 4);
    engine_define_function(host, "begin", respond_begin, 4);
    engine_define_function(host, "push", respond_push, 1);
    engine_define_function(host, "end", respond_end, 0);
    engine_define_function(host, "log", log_text, 2);
    engine_define_function(host, "fillRandom", fill_random, 1);
    engine_define_function(host, "now", now, 0);
    engine_define_function(host, "timeOrigin", time_origin, 0);
    const js_value global = JS(GetGlobalObject);
    const js_value math = engine_property(global, "Math");
    engine_define_function(math, "random", math_random, 0);
    js_release(math);
    js_release(global);
}
