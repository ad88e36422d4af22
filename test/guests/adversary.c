/*
 * Follows the request's body as a program of stores into the channel and at the doorbell, and of
 * worse. What comes to its end is answered with 204.
 */
#include <string.h>

#include "kernel.h"
#include "hypercall.h"

struct instruction {
    uint8_t what;
    uint8_t operation;
    uint16_t flags;
    uint32_t offset;
    uint32_t value;
};

static struct instruction program[64];

static unsigned char *const channel = (unsigned char *)HATCHERY_CHANNEL_ADDRESS;
static struct hatchery_control *const control = (void *)HATCHERY_CHANNEL_ADDRESS;
static volatile unsigned char *const doorbell = (unsigned char *)HATCHERY_DOORBELL_ADDRESS;

void application_start(void) {}

static void store(unsigned char *place, uint32_t value) {
    memcpy(place, &value, sizeof value);
}

static void follow(const struct instruction *instruction) {
    const uint32_t offset = instruction->offset;
    const uint32_t value = instruction->value;
    switch (instruction->what % 9) {
        case 0: /* anywhere in the channel */
            store(channel + offset % (HATCHERY_CHANNEL_BYTES - 3), value);
            break;
        case 1: /* in the control block, where the lengths are */
            store(channel + offset % sizeof *control, value);
            break;
        case 2: { /* over much of the channel */
            const uint32_t start = offset % HATCHERY_CHANNEL_BYTES;
            const uint32_t most = HATCHERY_CHANNEL_BYTES - start;
            memset(channel + start, (int)value, value % most);
            break;
        }
        case 3: /* any hypercall but 255, PROBE, which the addon for tests takes */
            hypercall(instruction->operation % 255);
            break;
        case 4: /* the doorbell's page, at any place, four bytes wide */
            __asm__ volatile("movl %0, (%1)" ::"r"(value), "r"(doorbell + offset % 4096)
                             : "memory");
            break;
        case 5: /* any address */
            store((unsigned char *)((uintptr_t)value << 12 | offset % 4096), value);
            break;
        case 6: { /* a hypercall with a frame that is well-formed but for some of it */
            uint32_t frame[4] = {200, instruction->flags, 0, value % 0x40100};
            frame[offset % 5 % 4] ^= offset % 5 == 4 ? 0 : offset >> 8;
            memcpy(channel + HATCHERY_RESPONSE_OFFSET, frame, sizeof frame);
            control->response_bytes = sizeof frame + value % 0x40100;
            hypercall(1 + instruction->operation % 9);
            break;
        }
        case 7: { /* log records, broken or not, then a hypercall */
            uint32_t record[2] = {30, value % 0x10010};
            memcpy(channel + HATCHERY_LOG_OFFSET, record, sizeof record);
            control->log_bytes = sizeof record + offset % 0x10010;
            hypercall(HATCHERY_LOG);
            break;
        }
        default: /* code that is none, or burns its time */
            if (offset % 4 == 0) {
                ((void (*)(void))(uintptr_t)value)();
            }
            for (;;) {
                __asm__ volatile("" ::: "memory");
            }
    }
}

void application_serve(void) {
    const size_t bytes = request_body_read(program, sizeof program);
    for (size_t i = 0; i < bytes / sizeof program[0]; i++) {
        follow(&program[i]);
    }
    respond(&(struct response){.status = 204});
}
