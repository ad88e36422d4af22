/* The console: a ring that the host's console daemon reads (Xen's io/console.h). */
#include "boot.h"

enum {
    PATIENCE = 1000000000 /* nanoseconds; then what does not fit is dropped */
};

static volatile struct xen_console_ring *ring;
static uint32_t ring_port;

void console_open(struct xen_console_ring *opened, uint32_t port) {
    ring = opened;
    ring_port = port;
}

static uint32_t used(void) {
    return ring->out_produced - ring->out_consumed;
}

/* Whether there are at most `most` bytes in the ring, now or soon. */
static int shrinks_to(uint32_t most) {
    if (used() <= most) {
        return 1;
    }
    const uint64_t deadline = clock_system_now() + PATIENCE;
    int is_heard = event_send(ring_port);
    while (is_heard && used() > most && clock_system_now() < deadline) {
        is_heard = event_wait(ring_port, deadline);
    }
    return used() <= most;
}

static int put(char character) {
    if (!shrinks_to(sizeof ring->out - 1)) {
        return 0;
    }
    const uint32_t at = ring->out_produced;
    ring->out[at % sizeof ring->out] = character;
    __asm__ volatile("" ::: "memory");
    ring->out_produced = at + 1;
    return 1;
}

/* What a terminal would take for a command is not the guest's to send. */
static char harmless(char character) {
    const unsigned char code = (unsigned char)character;
    return (code < 0x20 && code != '\n' && code != '\t') || code == 0x7f ? '?' : character;
}

void print_bytes(const char *text, size_t count) {
    if (ring == NULL) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if ((text[i] == '\n' && !put('\r')) || !put(harmless(text[i]))) {
            break;
        }
    }
    event_send(ring_port);
}

void print(const char *text) {
    print_bytes(text, text_length(text));
}

void print_decimal(uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    print_bytes(digits + at, sizeof digits - at);
}

void print_hexadecimal(uint64_t number) {
    char digits[18];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[number % 16];
        number /= 16;
    } while (number > 0);
    digits[--at] = 'x';
    digits[--at] = '0';
    print_bytes(digits + at, sizeof digits - at);
}

void console_drain(void) {
    if (ring != NULL) {
        shrinks_to(0);
    }
}
