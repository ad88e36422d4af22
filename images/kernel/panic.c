#include <string.h>

#include "platform.h"

void panic(enum hatchery_panic_reason reason, const char *text, size_t text_bytes) {
    struct hatchery_panic report = {.reason = reason};
    const size_t room = HATCHERY_RESPONSE_WINDOW_BYTES - sizeof report;
    report.text_bytes = (uint32_t)(text_bytes < room ? text_bytes : room);
    memcpy(channel(HATCHERY_RESPONSE_OFFSET), &report, sizeof report);
    memcpy(channel(HATCHERY_RESPONSE_OFFSET + sizeof report), text, report.text_bytes);
    control()->response_bytes = (uint32_t)sizeof report + report.text_bytes;
    hypercall(HATCHERY_PANIC);
    __builtin_trap();
}

/* The C library's and the compiler's way to give up. */
__attribute__((noreturn)) void abort(void) {
    static const char text[] = "abort() was called";
    panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
}
