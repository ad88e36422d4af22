/* Calls about time. */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "../kernel/kernel.h"
#include "posix.h"

enum { NANOSECONDS = 1000000000, NANOSECONDS_OF_MILLISECOND = 1000000 };

/* Nanoseconds; 0 for a clock that there is not. A guest has its processor to itself. */
static uint64_t now(int clock) {
    switch (clock) {
        case CLOCK_REALTIME:
        case CLOCK_REALTIME_COARSE: return clock_wall();
        case CLOCK_MONOTONIC:
        case CLOCK_MONOTONIC_RAW:
        case CLOCK_MONOTONIC_COARSE:
        case CLOCK_BOOTTIME: return clock_monotonic();
        case CLOCK_PROCESS_CPUTIME_ID:
        case CLOCK_THREAD_CPUTIME_ID: return clock_monotonic() - clock_request_start() + 1;
        default: return 0;
    }
}

long time_get(int clock, struct timespec *time) {
    const uint64_t nanoseconds = now(clock);
    if (nanoseconds == 0) {
        return -EINVAL;
    }
    time->tv_sec = (time_t)(nanoseconds / NANOSECONDS);
    time->tv_nsec = (long)(nanoseconds % NANOSECONDS);
    return 0;
}

long time_resolution(int clock, struct timespec *resolution) {
    if (now(clock) == 0) {
        return -EINVAL;
    }
    if (resolution != NULL) {
        *resolution = (struct timespec){.tv_nsec = 1};
    }
    return 0;
}

static void sleep_until(uint64_t monotonic) {
    struct completion completion;
    manner.before_wait();
    while (clock_monotonic() < monotonic) {
        host_wait(monotonic, &completion);
    }
}

static void sleep_for(uint64_t nanoseconds) {
    const uint64_t start = clock_monotonic();
    /* UINT64_MAX would mean for ever to the host, and nothing would end it. */
    sleep_until(nanoseconds < UINT64_MAX - 1 - start ? start + nanoseconds : UINT64_MAX - 1);
}

long time_sleep(int clock, int flags, const struct timespec *time) {
    if (time->tv_nsec < 0 || time->tv_nsec >= NANOSECONDS || time->tv_sec < 0) {
        return -EINVAL;
    }
    const uint64_t current = now(clock);
    if (current == 0) {
        return -EINVAL;
    }
    uint64_t nanoseconds;
    if (__builtin_mul_overflow((uint64_t)time->tv_sec, (uint64_t)NANOSECONDS, &nanoseconds) ||
        __builtin_add_overflow(nanoseconds, (uint64_t)time->tv_nsec, &nanoseconds)) {
        nanoseconds = UINT64_MAX;
    }
    if ((flags & TIMER_ABSTIME) == 0) {
        sleep_for(nanoseconds);
    } else if (nanoseconds > current) {
        sleep_for(nanoseconds - current);
    }
    return 0;
}

long time_poll(void *descriptors, unsigned long count, long milliseconds) {
    struct pollfd *polled = descriptors;
    long ready = 0;
    for (unsigned long i = 0; i < count; i++) {
        if (polled[i].fd < 0) {
            polled[i].revents = 0;
        } else if (description_of(polled[i].fd) == NULL) {
            polled[i].revents = POLLNVAL;
        } else {
            polled[i].revents = polled[i].events & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM);
        }
        ready += polled[i].revents != 0;
    }
    if (ready == 0 && milliseconds != 0) {
        sleep_for(milliseconds < 0 ? UINT64_MAX
                                   : (uint64_t)milliseconds * NANOSECONDS_OF_MILLISECOND);
    }
    return ready;
}
