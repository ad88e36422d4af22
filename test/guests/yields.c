/*
 * Follows the request's body as a program, one order a byte, and answers with how it was resumed
 * last: the reason, then what was in the request window.
 */
#include "kernel.h"
#include "hypercall.h"

static struct hatchery_control *const control = (void *)HATCHERY_CHANNEL_ADDRESS;
static unsigned char *const request =
    (unsigned char *)HATCHERY_CHANNEL_ADDRESS + HATCHERY_REQUEST_OFFSET;
static unsigned char *const response =
    (unsigned char *)HATCHERY_CHANNEL_ADDRESS + HATCHERY_RESPONSE_OFFSET;

static void ring(unsigned char operation, const void *frame, unsigned bytes) {
    __builtin_memcpy(response, frame, bytes);
    control->response_bytes = bytes;
    hypercall(operation);
}

void application_start(void) {}

void application_serve(void) {
    unsigned char orders[64];
    const long count = request_body_read(orders, sizeof orders);
    for (long i = 0; i < count; i++) {
        const struct hatchery_call call = {.call = (unsigned)i + 1, .kind = HATCHERY_CALL_FETCH};
        const struct hatchery_wait wait = {.until_nanoseconds = HATCHERY_WAIT_FOREVER};
        switch (orders[i]) {
            case 'c': ring(HATCHERY_CALL, &call, sizeof call); break;
            case 'w': ring(HATCHERY_WAIT, &wait, sizeof wait); break;
            default: /* burns some milliseconds */
                for (long turns = 0; turns < 20000000; turns++) {
                    __asm__ volatile("" ::: "memory");
                }
        }
    }
    unsigned char answer[64] = {(unsigned char)control->resume_reason};
    const unsigned room = sizeof answer - 1;
    const unsigned got = control->request_bytes < room ? control->request_bytes : room;
    __builtin_memcpy(answer + 1, request, got);
    respond(&(struct response){.status = 200, .body = answer, .body_bytes = got + 1});
}
