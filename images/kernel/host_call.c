/* Host calls: what an instance asks of the host, and how it yields until there is an answer. */
#include <string.h>

#include "platform.h"

static struct hatchery_call frame;
static size_t frame_room;

static void frame_begin(void) {
    frame.payload_bytes = 0;
    frame_room = HATCHERY_RESPONSE_WINDOW_BYTES - sizeof frame;
}

static void frame_send(uint32_t flags) {
    frame.flags = flags;
    memcpy(channel(HATCHERY_RESPONSE_OFFSET), &frame, sizeof frame);
    control()->response_bytes = (uint32_t)sizeof frame + frame.payload_bytes;
    hypercall(HATCHERY_CALL);
}

void host_call(uint32_t call, enum hatchery_call_kind kind, const struct bytes *parts,
               size_t part_count) {
    frame.call = call;
    frame.kind = kind;
    frame_begin();
    for (size_t i = 0; i < part_count; i++) {
        const unsigned char *from = parts[i].start;
        size_t left = parts[i].count;
        while (left > 0) {
            if (frame_room == 0) {
                frame_send(HATCHERY_CALL_MORE);
                frame_begin();
            }
            const size_t part = left < frame_room ? left : frame_room;
            memcpy(channel(HATCHERY_RESPONSE_OFFSET + sizeof frame + frame.payload_bytes), from,
                   part);
            frame.payload_bytes += (uint32_t)part;
            frame_room -= part;
            from += part;
            left -= part;
        }
    }
    frame_send(0);
}

static int wait_until(uint64_t host_nanoseconds) {
    const struct hatchery_wait wait = {.until_nanoseconds = host_nanoseconds};
    memcpy(channel(HATCHERY_RESPONSE_OFFSET), &wait, sizeof wait);
    control()->response_bytes = sizeof wait;
    hypercall(HATCHERY_WAIT);
    return control()->resume_reason == HATCHERY_RESUME_COMPLETION;
}

int host_wait(uint64_t until_nanoseconds, struct completion *completion) {
    while (!wait_until(clock_to_host(until_nanoseconds))) {
        if (!clock_is_behind(until_nanoseconds)) {
            return 0;
        }
    }
    struct hatchery_completion header;
    memcpy(&header, channel(HATCHERY_REQUEST_OFFSET), sizeof header);
    *completion = (struct completion){
        .call = header.call,
        .is_failed = (header.flags & HATCHERY_COMPLETION_FAILED) != 0,
        .has_more = (header.flags & HATCHERY_COMPLETION_MORE) != 0,
        .payload = {channel(HATCHERY_REQUEST_OFFSET + sizeof header), header.payload_bytes},
    };
    return 1;
}
