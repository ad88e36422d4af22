/*
 * The KVM platform: the entry point and the doorbell, a byte stored to an address without memory.
 */
#define HATCHERY_DOORBELL_ADDRESS 0x180000

    .section .text.start, "ax"
    .globl _start
    .type _start, @function
_start:
    xorl %ebp, %ebp
    call kernel_main
    ud2
    .size _start, . - _start

/* void hypercall(enum hatchery_operation operation) */
    .text
    .globl hypercall
    .type hypercall, @function
hypercall:
    movb %dil, HATCHERY_DOORBELL_ADDRESS
    ret
    .size hypercall, . - hypercall

/* The ABI note: name size, description size, type, name padded to 4, description. */
    .section .note.hatchery, "a", @note
    .balign 4
    .long 9, 4, 1
    .asciz "Hatchery"
    .balign 4
    .long 1

    .section .note.GNU-stack, "", @progbits
