/* The life of an instance: start-up, the snapshot point, then requests. */
#include "platform.h"

static void take_over_control_block(void) {
    clock_begin();
    random_begin();
}

_Static_assert(HATCHERY_DOORBELL_ADDRESS == 0x180000 && HATCHERY_NOTE_ABI == 1 &&
                   HATCHERY_ABI_VERSION == 1 && HATCHERY_NOTE_UNCONFIGURED == 2,
               "start_kvm.S and kernel.h repeat these numbers");

void start_unconfigured(void) {
    hypercall(HATCHERY_UNCONFIGURED);
    take_over_control_block();
}

__attribute__((noreturn)) void kernel_main(void) {
    if (boot_page()->magic != HATCHERY_MAGIC || boot_page()->abi_version != HATCHERY_ABI_VERSION) {
        static const char text[] = "the host speaks another ABI version";
        panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
    }
    take_over_control_block();
    if (library_start != NULL) {
        library_start();
    }
    application_start();
    hypercall(HATCHERY_READY);
    for (;;) {
        /* Whatever hypercall ended the last request, it returned because there is a new one. */
        take_over_control_block();
        request_begin();
        application_serve();
        response_settle();
    }
}
