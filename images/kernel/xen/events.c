/* Event channels, without interrupts: they are waited for. */
#include "boot.h"

int event_send(uint32_t port) {
    return xen_hypercall(XEN_EVENT_CHANNEL_OP, XEN_EVENT_SEND, (uint64_t)&port, 0, 0) == 0;
}

int event_wait(uint32_t port, uint64_t deadline) {
    const struct xen_poll poll = {.ports = &port, .count = 1, .timeout = deadline};
    if (xen_hypercall(XEN_SCHED_OP, XEN_SCHED_POLL, (uint64_t)&poll, 0, 0) != 0) {
        return 0;
    }
    /* Before the next look at what was waited for: what is sent after that is pending again. */
    volatile uint64_t *pending = &shared_info->pending[port / 64];
    __asm__ volatile("lock btrq %1, %0" : "+m"(*pending) : "r"((uint64_t)port % 64) : "memory");
    return 1;
}
