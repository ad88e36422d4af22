/* Answers with how many requests it has served, in one byte; never, where the body is "s". */
#include "kernel.h"

static unsigned char served;

void application_start(void) {}

void application_serve(void) {
    unsigned char order = 0;
    request_body_read(&order, 1);
    while (order == 's') {
        __asm__ volatile("" ::: "memory");
    }
    served++;
    respond(&(struct response){.status = 200, .body = &served, .body_bytes = 1});
}
