/* Writes to every page that it can write: image data, channel, stack and the whole heap. */
#include <string.h>

#include "kernel.h"

static unsigned char data[64 * HATCHERY_PAGE_BYTES] = {1};

/* Something far into the heap is there before it is written to. */
void application_start(void) {
    *(volatile unsigned char *)(HATCHERY_HEAP_ADDRESS + (3u << 20)) = 7;
}

static void scribble(volatile unsigned char *from, size_t count) {
    for (size_t at = 0; at < count; at += HATCHERY_PAGE_BYTES) {
        from[at] ^= 0x5a;
        from[at + HATCHERY_PAGE_BYTES - 1] ^= 0xa5;
    }
}

void application_serve(void) {
    const struct hatchery_boot *boot = (const struct hatchery_boot *)HATCHERY_BOOT_ADDRESS;
    scribble(data, sizeof data);
    scribble((unsigned char *)HATCHERY_HEAP_ADDRESS, heap_bytes());
    /* The stack's pages but the topmost, which is in use. */
    scribble((unsigned char *)HATCHERY_STACK_TOP - boot->stack_bytes,
             boot->stack_bytes - HATCHERY_PAGE_BYTES);
    /* All of the channel but the control block's page, which tells how much was answered. */
    scribble((unsigned char *)HATCHERY_CHANNEL_ADDRESS + HATCHERY_PAGE_BYTES,
             HATCHERY_CHANNEL_BYTES - HATCHERY_PAGE_BYTES);
    respond(&(struct response){.status = 200, .body = "done", .body_bytes = 4});
}
