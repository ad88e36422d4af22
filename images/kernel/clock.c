/*
 * Clocks: the host gives the time of a moment just before it resumed the guest; from there the
 * guest counts on its own time-stamp counter. The error is the time between the two, some
 * microseconds.
 */
#include "platform.h"

static uint64_t wall_at_start;
static uint64_t monotonic_at_start;
static uint64_t counter_at_start;

/*
 * How far this clock is behind the host's, as far as it is known: the host's thread may have been
 * kept waiting between reading its clock and running the guest.
 */
static uint64_t lag;

enum { LAG_TOLERATED = 100000 /* nanoseconds */ };

static inline uint64_t read_counter(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

void clock_begin(void) {
    counter_at_start = read_counter();
    wall_at_start = control()->wall_nanoseconds;
    monotonic_at_start = control()->monotonic_nanoseconds;
    lag = 0;
}

static uint64_t elapsed_nanoseconds(void) {
    const unsigned __int128 ticks = read_counter() - counter_at_start;
    return (uint64_t)(ticks * 1000000000u / boot_page()->tsc_hertz);
}

uint64_t clock_wall(void) {
    return wall_at_start + elapsed_nanoseconds();
}

uint64_t clock_monotonic(void) {
    return monotonic_at_start + elapsed_nanoseconds();
}

uint64_t clock_request_start(void) {
    return monotonic_at_start;
}

uint64_t clock_to_host(uint64_t nanoseconds) {
    return nanoseconds == HATCHERY_WAIT_FOREVER ? nanoseconds : nanoseconds + lag;
}

int clock_is_behind(uint64_t nanoseconds) {
    const uint64_t now = clock_monotonic();
    if (nanoseconds == HATCHERY_WAIT_FOREVER || nanoseconds <= now + LAG_TOLERATED) {
        return 0;
    }
    lag += nanoseconds - now;
    return 1;
}
