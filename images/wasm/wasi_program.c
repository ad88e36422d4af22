/* WASI's calls about the program itself: arguments, environment, clocks, randomness, waiting, its end. */
#include "../gateway/gateway.h"
#include "../gateway/kept_request.h"
#include "../kernel/kernel.h"
#include "descriptors.h"

/* Lays strings one behind the other, and the address of each into a table. */
static u32 put_strings(struct strings strings, u32 table, u32 buffer) {
    char *to = module_bytes(buffer, (u32)strings.bytes);
    if (to == NULL || module_bytes(table, (u32)strings.count * sizeof(u32)) == NULL) {
        return WASI_FAULT;
    }
    memcpy(to, strings.start, strings.bytes);
    u32 at = 0;
    for (u32 i = 0; i < strings.count; i++) {
        const u32 address = buffer + at;
        WASI_PUT(table + i * (u32)sizeof address, address);
        at += (u32)strlen(strings.start + at) + 1;
    }
    return WASI_SUCCESS;
}

static u32 put_sizes(struct strings strings, u32 count_address, u32 bytes_address) {
    const u32 count = (u32)strings.count, bytes = (u32)strings.bytes;
    const u32 error = WASI_PUT(count_address, count);
    return error != WASI_SUCCESS ? error : WASI_PUT(bytes_address, bytes);
}

/* Without a request there are no variables of one. */
static struct strings environment(void) {
    return program_is_serving() ? gateway_environment() : (struct strings){"", 0, 0};
}

WASI(args_get, u32 table, u32 buffer) {
    (void)unused;
    return put_strings(gateway_arguments(), table, buffer);
}

WASI(args_sizes_get, u32 count, u32 bytes) {
    (void)unused;
    return put_sizes(gateway_arguments(), count, bytes);
}

WASI(environ_get, u32 table, u32 buffer) {
    (void)unused;
    return put_strings(environment(), table, buffer);
}

WASI(environ_sizes_get, u32 count, u32 bytes) {
    (void)unused;
    return put_sizes(environment(), count, bytes);
}

WASI(clock_res_get, u32 clock, u32 result) {
    (void)unused;
    const u64 nanoseconds = 1;
    return clock > WASI_CLOCK_MONOTONIC ? (u32)WASI_INVAL : WASI_PUT(result, nanoseconds);
}

WASI(clock_time_get, u32 clock, u64 precision, u32 result) {
    (void)unused, (void)precision;
    if (clock > WASI_CLOCK_MONOTONIC) {
        return WASI_INVAL;
    }
    const u64 now = clock == WASI_CLOCK_REALTIME ? clock_wall() : clock_monotonic();
    return WASI_PUT(result, now);
}

WASI(random_get, u32 buffer, u32 bytes) {
    (void)unused;
    void *to = module_bytes(buffer, bytes);
    if (to == NULL) {
        return WASI_FAULT;
    }
    random_fill(to, bytes);
    return WASI_SUCCESS;
}

WASI(sched_yield) {
    (void)unused;
    return WASI_SUCCESS;
}

void Z_wasi_snapshot_preview1Z_proc_exit(wasi *unused, u32 code) {
    (void)unused;
    program_exit((int)code);
}

/* The moment by the monotonic clock that a subscription to a clock means. */
static u32 moment_of(const struct wasi_subscription *subscription, u64 *moment) {
    const u64 timeout = subscription->clock.timeout;
    const u64 monotonic = clock_monotonic();
    u64 now = monotonic;
    if (subscription->clock.id == WASI_CLOCK_REALTIME) {
        now = clock_wall();
    } else if (subscription->clock.id != WASI_CLOCK_MONOTONIC) {
        return WASI_INVAL;
    }
    const int is_absolute = (subscription->clock.flags & WASI_SUBSCRIPTION_CLOCK_ABSTIME) != 0;
    const u64 left = is_absolute ? (timeout > now ? timeout - now : 0) : timeout;
    *moment = left > UINT64_MAX - 1 - monotonic ? UINT64_MAX - 1 : monotonic + left;
    return WASI_SUCCESS;
}

/* A file and a stream are always ready; whether a subscription is one to a clock that is not. */
static int is_pending(const struct wasi_subscription *subscription, struct wasi_event *event,
                      u64 *moment) {
    *event = (struct wasi_event){.userdata = subscription->userdata, .type = subscription->tag};
    if (subscription->tag == WASI_EVENTTYPE_CLOCK) {
        event->error = (uint16_t)moment_of(subscription, moment);
        return event->error == WASI_SUCCESS && *moment > clock_monotonic();
    }
    if (subscription->tag > WASI_EVENTTYPE_FD_WRITE) {
        event->error = WASI_INVAL;
        return 0;
    }
    struct descriptor *descriptor;
    const uint64_t right = WASI_RIGHT_BIT(WASI_RIGHT_POLL_FD_READWRITE);
    event->error = (uint16_t)descriptor_get(subscription->descriptor, right, &descriptor);
    if (event->error == WASI_SUCCESS && subscription->tag == WASI_EVENTTYPE_FD_READ &&
        descriptor->kind == DESCRIPTOR_FILE && !descriptor->file->is_directory) {
        const u64 size = descriptor->file->size;
        event->bytes = size > descriptor->offset ? size - descriptor->offset : 0;
    }
    return 0;
}

static void wait_until(u64 moment) {
    if (program_is_serving()) {
        if (!module_has_handle) {
            gateway_flush();
        }
        kept_request_save();
        struct completion completion;
        /* Nothing was asked of the host: only the time can come. */
        host_wait(moment, &completion);
    }
    /* During start-up, and where the clocks differ by a little. */
    while (clock_monotonic() < moment) {
    }
}

enum { SUBSCRIPTIONS_MAX = 4096 };
/* By the monotonic clock; 0 for what has happened. Relative times count from when they were asked for. */
static u64 moments[SUBSCRIPTIONS_MAX];

static struct wasi_subscription subscription_at(u32 address, u32 index) {
    struct wasi_subscription subscription;
    const u32 at = address + index * (u32)sizeof subscription;
    memcpy(&subscription, module_bytes(at, sizeof subscription), sizeof subscription);
    return subscription;
}

/* Lays the events that have happened already; returns how many. The ranges were checked. */
static u32 put_events(u32 in, u32 out, u32 count, u64 *earliest) {
    u32 happened = 0;
    *earliest = UINT64_MAX;
    for (u32 i = 0; i < count; i++) {
        const struct wasi_subscription subscription = subscription_at(in, i);
        struct wasi_event event;
        moments[i] = 0;
        if (is_pending(&subscription, &event, &moments[i])) {
            *earliest = moments[i] < *earliest ? moments[i] : *earliest;
        } else {
            WASI_PUT(out + happened * (u32)sizeof event, event);
            happened++;
        }
    }
    return happened;
}

/* All are clocks; lays the events of those whose moment has come. */
static u32 put_clock_events(u32 in, u32 out, u32 count, u64 now) {
    u32 happened = 0;
    for (u32 i = 0; i < count; i++) {
        if (moments[i] <= now) {
            const struct wasi_event event = {
                .userdata = subscription_at(in, i).userdata,
                .type = WASI_EVENTTYPE_CLOCK,
            };
            WASI_PUT(out + happened * (u32)sizeof event, event);
            happened++;
        }
    }
    return happened;
}

WASI(poll_oneoff, u32 in, u32 out, u32 count, u32 result) {
    (void)unused;
    if (count == 0 || count > SUBSCRIPTIONS_MAX) {
        return WASI_INVAL;
    }
    if (module_bytes(in, count * (u32)sizeof(struct wasi_subscription)) == NULL ||
        module_bytes(out, count * (u32)sizeof(struct wasi_event)) == NULL ||
        module_bytes(result, sizeof(u32)) == NULL) {
        return WASI_FAULT;
    }
    u64 earliest;
    u32 happened = put_events(in, out, count, &earliest);
    if (happened == 0) {
        wait_until(earliest);
        happened = put_clock_events(in, out, count, earliest);
    }
    return WASI_PUT(result, happened);
}
