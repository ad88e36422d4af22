/*
 * Makes the system call that the request's body names: its number (8 bytes), six arguments (8 each), a
 * byte that says how (0: SYSCALL, 1: INT 0x80), from a guest that must not be able to make any. And other
 * attacks on a process: 2, tampering with its handler's memory; 3, messages to the host without end; 4, a
 * loop; 5, saying that it waits, and computing on. It answers 200 if it is still alive afterwards, with what the call gave.
 */
#include "kernel.h"

void application_start(void) {}

struct order {
    unsigned long number, arguments[6];
    unsigned char how;
} __attribute__((packed));

static long system_call(const unsigned long *order) {
    long result;
    register unsigned long r10 __asm__("r10") = order[4];
    register unsigned long r8 __asm__("r8") = order[5];
    register unsigned long r9 __asm__("r9") = order[6];
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(order[0]), "D"(order[1]), "S"(order[2]), "d"(order[3]), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static long interrupt(const unsigned long *order) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(order[0]), "b"(order[1]), "c"(order[2]), "d"(order[3])
                     : "memory");
    return result;
}

void application_serve(void) {
    struct order order = {0};
    request_body_read(&order, sizeof order);
    unsigned long all[7] = {order.number};
    static unsigned char memory[4096] = "/etc/passwd";
    for (int i = 0; i < 6; i++) {
        /* 0x6d656d: somewhere in memory. */
        all[i + 1] = order.arguments[i] == 0x6d656d ? (unsigned long)memory : order.arguments[i];
    }
    long result = 0;
    switch (order.how) {
        case 0: result = system_call(all); break;
        case 1: result = interrupt(all); break;
        case 2: /* the launcher's data: its signal stack and its plan */
            for (unsigned char *at = (unsigned char *)0x600000004000;; at++) {
                *at = 0xff;
            }
        case 3: {
            const unsigned long flood[7] = {1, 3, (unsigned long)memory, 32};
            for (;;) {
                (void)system_call(flood);
            }
        }
        case 5: {
            static const struct {
                unsigned kind, number;
                unsigned long rest[4]; /* struct guest_message of native/process_guests/programs/protocol.h */
            } lie = {1, HATCHERY_WAIT, {0}};
            const unsigned long told[7] = {1, 3, (unsigned long)&lie, sizeof lie};
            (void)system_call(told);
        }
        /* fall through */
        case 4:
            for (;;) {
                __asm__ volatile("" ::: "memory");
            }
        default: break;
    }
    respond(&(struct response){.status = 200, .body = (const char *)&result, .body_bytes = 8});
}
