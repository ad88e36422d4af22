/* Xen's clocks, which it gives relative to the time-stamp counter (xen.h, struct vcpu_time_info).
 */
#include "boot.h"

static inline uint64_t read_counter(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Xen makes the version odd while it writes, and another number when it has. */
static struct xen_time read_time(void) {
    const volatile struct xen_time *time = &shared_info->vcpu[0].time;
    for (;;) {
        const uint32_t version = time->version;
        __asm__ volatile("" ::: "memory");
        const struct xen_time copy = {
            .counter_at = time->counter_at,
            .system_time = time->system_time,
            .multiplier = time->multiplier,
            .shift = time->shift,
        };
        __asm__ volatile("" ::: "memory");
        if ((version & 1) == 0 && time->version == version) {
            return copy;
        }
    }
}

uint64_t clock_counter_hertz(void) {
    const struct xen_time time = read_time();
    if (time.multiplier == 0) {
        give_up("Xen gives the domain no clock");
    }
    const uint64_t hertz = (UINT64_C(1000000000) << 32) / time.multiplier;
    return time.shift >= 0 ? hertz >> time.shift : hertz << -time.shift;
}

uint64_t clock_system_now(void) {
    const struct xen_time time = read_time();
    uint64_t ticks = read_counter() - time.counter_at;
    ticks = time.shift >= 0 ? ticks << time.shift : ticks >> -time.shift;
    return time.system_time + (uint64_t)((unsigned __int128)ticks * time.multiplier >> 32);
}

uint64_t clock_wall_now(void) {
    for (;;) {
        const uint32_t version = shared_info->wall_version;
        __asm__ volatile("" ::: "memory");
        const uint64_t seconds =
            (uint64_t)shared_info->wall_seconds_high << 32 | shared_info->wall_seconds;
        const uint64_t nanoseconds = shared_info->wall_nanoseconds;
        __asm__ volatile("" ::: "memory");
        if ((version & 1) == 0 && shared_info->wall_version == version) {
            return seconds * 1000000000 + nanoseconds + clock_system_now();
        }
    }
}
