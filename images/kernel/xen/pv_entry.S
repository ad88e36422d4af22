/*
 * PV: the entry, the traps, and the way to guest user mode. Guest kernel and guest user mode are
 * both ring 3; Xen changes page tables and stack between them.
 */
#include "../../abi/hatchery_xen.h"
#include "interface.h"

/* Offsets in struct hatchery_frame. */
#define FRAME_ERROR_CODE 128

    .text
/* From Xen: RSI is the address of struct start_info, RSP the end of the boot stack's page. */
    .globl pv_entry
pv_entry:
    cld
    movq %rsi, %rdi
    movq %rsp, %rsi
    movq $pv_boot_stack_end, %rsp
    xorl %ebp, %ebp
    call pv_main
    ud2

/* void pv_set_vector_state(void): the x87 and SSE state that a process begins with. */
    .globl pv_set_vector_state
pv_set_vector_state:
    fninit
    fxrstor64 initial_vector_state
    ret

/* void pv_to_user(struct hatchery_frame *) */
    .globl pv_to_user
pv_to_user:
    movq %rdi, %rsp
return_to_user:
    pop_registers
    addq $8, %rsp /* the vector */
    movq $0, (%rsp) /* flags of struct iret_context: return by IRET, not by SYSRET */
    jmp xen_hypercall_page + XEN_IRET * XEN_HYPERCALL_BYTES

/*
 * One entry for each exception, 16 bytes apart. Xen pushes as the processor does, then R11 and RCX.
 */
    .globl pv_trap_entries
    .balign 16
pv_trap_entries:
.set vector, 0
.rept 32
    .org pv_trap_entries + 16 * vector
    popq %rcx
    popq %r11
    /* These have an error code (Intel SDM volume 3A, table 6-1). */
    .if vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 && \
        vector != 14 && vector != 17 && vector != 21
    pushq $0
    .endif
    pushq $vector
    jmp trap
    .set vector, vector + 1
.endr
    .org pv_trap_entries + 16 * 32

trap:
    push_registers
    /* Guest user mode's direction flag and alignment checks are not this mode's. */
    pushq $2
    popfq
    movq %rsp, %rdi
    call pv_trap
    jmp return_to_user

    .section .rodata
    .balign 16
initial_vector_state:
    initial_fxsave_area

    .bss
    .balign 16
    .skip 8192
pv_boot_stack_end:

    .section .note.GNU-stack, "", @progbits
