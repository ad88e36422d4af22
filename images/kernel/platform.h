/* What the kernel's parts share with each other and with the platform stub; not for applications.
 */
#ifndef HATCHERY_KERNEL_PLATFORM_H
#define HATCHERY_KERNEL_PLATFORM_H

#include "kernel.h"

/*
 * Rings the doorbell (see HYPERCALLS in the ABI); returns when the host resumes the guest. Being
 * an external function, it is a compiler barrier: the host may have rewritten the channel.
 */
void hypercall(enum hatchery_operation operation);

static inline const struct hatchery_boot *boot_page(void) {
    return (const struct hatchery_boot *)HATCHERY_BOOT_ADDRESS;
}

static inline volatile struct hatchery_control *control(void) {
    return (volatile struct hatchery_control *)HATCHERY_CHANNEL_ADDRESS;
}

static inline unsigned char *channel(size_t offset) {
    return (unsigned char *)HATCHERY_CHANNEL_ADDRESS + offset;
}

/* Each takes over what the host has just written to the control block. */
void clock_begin(void);
void random_begin(void);
void request_begin(void);

/* A C library's (images/posix), where one is linked that starts before the application. */
__attribute__((weak)) void library_start(void);

/* The moment by the host's monotonic clock, which this clock may be behind. */
uint64_t clock_to_host(uint64_t nanoseconds);

/* When the host has waited until clock_to_host(nanoseconds): whether it is still to come by more
 * than is tolerated; clock_to_host takes that into account from then on. */
int clock_is_behind(uint64_t nanoseconds);

/* After application_serve: ends background work, and insists that there was a response. */
void response_settle(void);

#endif
