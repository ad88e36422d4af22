#include "call_functions.h"

#include <math.h>
#include <string.h>

#include "../kernel/kernel.h"
#include "native.h"
#include "request_functions.h"
#include "text.h"

/* Where the engine writes a number that C asks for. */
static engine_pointer number_cell;

/* What the last wait brought. */
static bool is_failed;
static js_value payload = JS_UNDEFINED;

static double number_of(js_value value) {
    double number = 0;
    if (JS(ToFloat64, number_cell, value) == 0) {
        memcpy(&number, engine_memory(number_cell), sizeof number);
    }
    return number;
}

static uint32_t argument_uint32(engine_pointer arguments, uint32_t index) {
    return (uint32_t)number_of(engine_argument(arguments, index));
}

/* startFetch(id, redirect, head, body): FETCH; `body` is a string, a Uint8Array or undefined. */
NATIVE(start_fetch) {
    IGNORE_REST;
    struct text head;
    struct text body;
    if (!text_of_head(&head, engine_argument(arguments, 2)) ||
        !text_of_body(&body, engine_argument(arguments, 3))) {
        return JS_EXCEPTION;
    }
    const struct hatchery_request frame = {
        .head_bytes = (uint32_t)head.bytes,
        .body_bytes = (uint32_t)body.bytes,
        .flags = argument_uint32(arguments, 1),
    };
    const struct bytes parts[] = {
        {&frame, sizeof frame}, {head.start, head.bytes}, {body.start, body.bytes}};
    host_call(argument_uint32(arguments, 0), HATCHERY_CALL_FETCH, parts, 3);
    text_release(&head);
    text_release(&body);
    return JS_UNDEFINED;
}

/* startBinding(id, names, values): BINDING; both names with a NUL behind each, then a Uint8Array.
 */
NATIVE(start_binding) {
    IGNORE_REST;
    struct text names;
    struct text values;
    if (!text_of_body(&names, engine_argument(arguments, 1)) ||
        !text_of_body(&values, engine_argument(arguments, 2))) {
        return JS_EXCEPTION;
    }
    const struct bytes parts[] = {{names.start, names.bytes}, {values.start, values.bytes}};
    host_call(argument_uint32(arguments, 0), HATCHERY_CALL_BINDING, parts, 2);
    text_release(&names);
    text_release(&values);
    return JS_UNDEFINED;
}

static js_value call_about(engine_pointer arguments, enum hatchery_call_kind kind) {
    const uint32_t target = argument_uint32(arguments, 1);
    const struct bytes part = {&target, sizeof target};
    host_call(argument_uint32(arguments, 0), kind, &part, 1);
    return JS_UNDEFINED;
}

/* startRead(id, fetch): READ from that fetch's body, or with 0 from the request's. */
NATIVE(start_read) {
    IGNORE_REST;
    return call_about(arguments, HATCHERY_CALL_READ);
}

/* cancel(id, call): CANCEL */
NATIVE(cancel) {
    IGNORE_REST;
    return call_about(arguments, HATCHERY_CALL_CANCEL);
}

/* The moment that is so many milliseconds after the request was handed over. */
static uint64_t moment_of(double milliseconds) {
    if (isinf(milliseconds)) {
        return HATCHERY_WAIT_FOREVER;
    }
    const double year = 365.0 * 86400e3; /* no instance lives as long, and the sum is in range */
    const double bounded = fmin(fmax(milliseconds, 0), year);
    return clock_request_start() + (uint64_t)ceil(bounded * 1e6);
}

/* Brings the parts of a payload together that did not fit into one completion. */
static js_value long_payload(struct completion *completion) {
    size_t capacity = 2 * (size_t)HATCHERY_REQUEST_WINDOW_BYTES;
    size_t used = 0;
    engine_pointer buffer = engine_allocate(capacity);
    for (;;) {
        const struct bytes part = completion->payload;
        if (part.count > capacity - used) {
            capacity *= 2;
            const engine_pointer larger = engine_allocate(capacity);
            memcpy(engine_memory(larger), engine_memory(buffer), used);
            engine_free(buffer);
            buffer = larger;
        }
        memcpy((char *)engine_memory(buffer) + used, part.start, part.count);
        used += part.count;
        if (!completion->has_more || !host_wait(HATCHERY_WAIT_FOREVER, completion)) {
            break;
        }
    }
    const js_value bytes = JS(NewUint8ArrayCopy, buffer, (u32)used);
    engine_free(buffer);
    return bytes;
}

static js_value short_payload(struct bytes part) {
    const engine_pointer copy = engine_copy(part.start, part.count);
    const js_value bytes = JS(NewUint8ArrayCopy, copy, (u32)part.count);
    engine_free(copy);
    return bytes;
}

/*
 * wait(until): yields until a host call is completed, and gives its id, or until so many
 * milliseconds after the request was handed over, and gives 0. What the completion brought is then
 * to be asked for.
 */
NATIVE(wait) {
    IGNORE_REST;
    request_functions_save();
    struct completion completion;
    if (!host_wait(moment_of(number_of(engine_argument(arguments, 0))), &completion)) {
        return JS(NewNumber, 0);
    }
    is_failed = completion.is_failed != 0;
    payload = completion.has_more ? long_payload(&completion) : short_payload(completion.payload);
    return JS(NewNumber, completion.call);
}

/* completionFailed(): whether the payload is an error report. */
NATIVE(completion_failed) {
    IGNORE_REST, (void)arguments;
    return JS_BOOLEAN(is_failed);
}

/* completionPayload(): the payload, a Uint8Array; once for each completion. */
NATIVE(completion_payload) {
    IGNORE_REST, (void)arguments;
    const js_value taken = payload;
    payload = JS_UNDEFINED;
    return taken;
}

void call_functions_define(js_value host) {
    number_cell = engine_allocate(sizeof(double));
    engine_define_function(host, "startFetch", start_fetch, 4);
    engine_define_function(host, "startBinding", start_binding, 3);
    engine_define_function(host, "startRead", start_read, 2);
    engine_define_function(host, "cancel", cancel, 2);
    engine_define_function(host, "wait", wait, 1);
    engine_define_function(host, "completionFailed", completion_failed, 0);
    engine_define_function(host, "completionPayload", completion_payload, 0);
}
