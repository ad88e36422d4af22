/* The ends of a domain. */
#include "boot.h"

__attribute__((noreturn)) static void shut_down(uint32_t reason) {
    console_drain();
    for (;;) {
        xen_hypercall(XEN_SCHED_OP, XEN_SCHED_SHUTDOWN, (uint64_t)&reason, 0, 0);
    }
}

void power_off(void) {
    shut_down(XEN_SHUTDOWN_POWEROFF);
}

void crash(void) {
    shut_down(XEN_SHUTDOWN_CRASH);
}

void give_up(const char *reason) {
    print("hatchery: ");
    print(reason);
    print("\n");
    crash();
}
