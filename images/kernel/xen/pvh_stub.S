/*
 * The ring-0 stub of a PVH guest: see images/abi/hatchery_xen.h for what it does and for whom.
 *
 * These bytes are data where they are linked, to be copied to HATCHERY_STUB_ADDRESS and
 * HATCHERY_TABLES_ADDRESS. Within them everything is relative to RIP; what is outside is absolute.
 *
 * While it waits, nothing but the mailbox's `rung` and `answered` decides what the stub does, and
 * its stack holds nothing but the frame: the host may exchange all other memory meanwhile.
 */
#include "../../abi/hatchery_xen.h"

#define DOORBELL_ADDRESS 0x180000 /* HATCHERY_DOORBELL_ADDRESS */
#define MAILBOX(field) HATCHERY_MAILBOX_ADDRESS + HATCHERY_MAILBOX_##field

/* Offsets in struct hatchery_frame. */
#define FRAME_RDI 72
#define FRAME_VECTOR 120
#define FRAME_ERROR_CODE 128
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_SS 168

/* Xen's public interface: xen.h, sched.h, event_channel.h. */
#define HYPERCALL_SCHED_OP 29
#define HYPERCALL_EVENT_CHANNEL_OP 32
#define SCHEDOP_POLL 3
#define EVTCHNOP_SEND 4
#define EVENT_PENDING (HATCHERY_SHARED_INFO + 2048)

#define VECTOR_PAGE_FAULT 14
/* Error code of a page fault: a store by ring 3 to a page that is not there. */
#define USER_STORE_TO_NOTHING 6

/* RFLAGS: all that ring 3 may set (CF PF AF ZF SF TF DF OF NT AC ID), and the bit that is always 1.
 * IOPL, IF and VM are not among it. */
#define RFLAGS_OF_USER 0x244dd5
#define RFLAGS_FIXED 2

    .section .rodata.hatchery_stub, "a", @progbits
    .balign 64
    .globl hatchery_stub_code
    .hidden hatchery_stub_code
hatchery_stub_code:

/* Makes the hypercall in RAX with arguments in RDI and RSI; the result is in RAX. */
.macro hypercall
    cmpl $HATCHERY_MAILBOX_VMCALL, MAILBOX(INSTRUCTION)
    jne 1f
    vmcall
    jmp 2f
1:  vmmcall
2:
.endm

/* One entry for each vector, 16 bytes apart, as the IDT below has them. */
.set vector, 0
.rept 32
    .org hatchery_stub_code + 16 * vector
    /* These push an error code themselves (Intel SDM volume 3A, table 6-1; AMD APM volume 2, 8.2). */
    .if vector != 8 && vector != 10 && vector != 11 && vector != 12 && vector != 13 && \
        vector != 14 && vector != 17 && vector != 21 && vector != 29 && vector != 30
    pushq $0
    .endif
    pushq $vector
    jmp exception
    .set vector, vector + 1
.endr

/*
 * Whatever ring 3 left in registers goes, so that all vCPUs that wait are alike. Loading FS and GS
 * makes their bases zero too.
 */
    .org hatchery_stub_code + HATCHERY_STUB_ENTRY - HATCHERY_STUB_ADDRESS
entry:
    movl $HATCHERY_USER_DATA, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %fs
    movl %eax, %gs
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
wait:
    movl MAILBOX(RUNG), %eax
    cmpl %eax, MAILBOX(ANSWERED)
    je answered
    movl $HYPERCALL_SCHED_OP, %eax
    movl $SCHEDOP_POLL, %edi
    leaq poll(%rip), %rsi
    hypercall
    testl %eax, %eax
    jnz stop
    /* Before the next look at `answered`: what is sent after that is pending again. */
    movl MAILBOX(PORT), %eax
    lock btrq %rax, EVENT_PENDING
    jmp wait

answered:
    cmpl $HATCHERY_MAILBOX_RESET, MAILBOX(COMMAND)
    jne to_user
    /* FXRSTOR alone leaves the x87 error pointers where no exception is pending on some processors
     * (AMD APM volume 2, section 11.4.4.3). */
    fninit
    fxrstor64 initial_vector_state(%rip)
to_user:
    movl $HATCHERY_STUB_STACK, %esp
    /* Whatever is in the frame, it leads to ring 3. */
    movq $HATCHERY_USER_CODE, FRAME_CS(%rsp)
    movq $HATCHERY_USER_DATA, FRAME_SS(%rsp)
    movl FRAME_RFLAGS(%rsp), %eax
    andl $RFLAGS_OF_USER, %eax
    orl $RFLAGS_FIXED, %eax
    movq %rax, FRAME_RFLAGS(%rsp)
    pop_registers
    addq $16, %rsp /* vector and error code */
    iretq

exception:
    push_registers
    cld
    movq %cr2, %rdx
    xorl %ebx, %ebx
    testb $3, FRAME_CS(%rsp)
    jz in_stub
    cmpl $VECTOR_PAGE_FAULT, FRAME_VECTOR(%rsp)
    jne fault
    cmpl $USER_STORE_TO_NOTHING, FRAME_ERROR_CODE(%rsp)
    jne fault
    cmpq $DOORBELL_ADDRESS, %rdx
    jne fault
    /* Byte by byte: as long as the bytes are equal, the next belongs to the instruction that was
     * just fetched, and so can be read. */
    movq FRAME_RIP(%rsp), %rsi
    leaq doorbell_code(%rip), %rdi
    movl $HATCHERY_DOORBELL_CODE_BYTES, %ecx
    repe cmpsb
    jne fault
    addq $HATCHERY_DOORBELL_CODE_BYTES, FRAME_RIP(%rsp)
    movzbl FRAME_RDI(%rsp), %eax
    movl %eax, MAILBOX(OPERATION)

ring:
    movq MAILBOX(HANDLER), %rax
    testq %rax, %rax
    jnz handle
    incl MAILBOX(RUNG)
    movl $HYPERCALL_EVENT_CHANNEL_OP, %eax
    movl $EVTCHNOP_SEND, %edi
    movl $MAILBOX(PORT), %esi
    hypercall
    testl %eax, %eax
    jz entry
    jmp stop

handle:
    movl $HATCHERY_MAILBOX_ADDRESS, %edi
    call *%rax
    jmp entry

/* A fault of the stub's own. The frame stays ring 3's; a second one ends it. */
in_stub:
    movq FRAME_RIP(%rsp), %rbx
    cmpq $0, MAILBOX(STUB_FAULT)
    jne stop
fault:
    movq %rbx, MAILBOX(STUB_FAULT)
    movl FRAME_VECTOR(%rsp), %eax
    movl %eax, MAILBOX(VECTOR)
    movq FRAME_ERROR_CODE(%rsp), %rax
    movq %rax, MAILBOX(ERROR_CODE)
    movq %rdx, MAILBOX(FAULT_ADDRESS)
    movl $HATCHERY_MAILBOX_FAULT, MAILBOX(OPERATION)
    movl $HATCHERY_STUB_STACK, %esp
    jmp ring

/* Where there is nobody to tell: a triple fault, which shuts the domain down. */
stop:
    lidt no_table(%rip)
    ud2

doorbell_code:
    .byte HATCHERY_DOORBELL_CODE
no_table:
    .word 0
    .quad 0

    .balign 8
poll: /* struct sched_poll */
    .quad MAILBOX(PORT)
    .long 1
    .long 0
    .quad 0 /* for ever */

    .balign 16
initial_vector_state:
    initial_fxsave_area

    .globl hatchery_stub_code_end
    .hidden hatchery_stub_code_end
hatchery_stub_code_end:

    .balign 64
    .globl hatchery_stub_tables
    .hidden hatchery_stub_tables
hatchery_stub_tables:
/* GDT (Intel SDM volume 3A, sections 3.4.5 and 7.2.3). */
    .quad 0
    .quad 0x00af9b000000ffff /* ring-0 code, 64-bit */
    .quad 0x00cf93000000ffff /* ring-0 data */
    .quad 0x00affb000000ffff /* ring-3 code, 64-bit */
    .quad 0x00cff3000000ffff /* ring-3 data */
    .word HATCHERY_STUB_TSS_LIMIT
    .word (HATCHERY_STUB_TSS) & 0xffff
    .byte HATCHERY_STUB_TSS >> 16 & 0xff
    .byte 0x89 /* present, available 64-bit TSS */
    .byte 0
    .byte HATCHERY_STUB_TSS >> 24
    .quad 0

/* IDT: interrupt gates that no ring but 0 may call (section 6.14.1). */
    .org hatchery_stub_tables + HATCHERY_STUB_IDT - HATCHERY_TABLES_ADDRESS
.set vector, 0
.rept 32
    .word (HATCHERY_STUB_ADDRESS + 16 * vector) & 0xffff
    .word HATCHERY_KERNEL_CODE
    .word 0x8e00
    .word HATCHERY_STUB_ADDRESS >> 16
    .quad 0
    .set vector, vector + 1
.endr

/* TSS (section 7.7): the stack of ring 0, and no I/O permission map. */
    .org hatchery_stub_tables + HATCHERY_STUB_TSS - HATCHERY_TABLES_ADDRESS
    .long 0
    .quad HATCHERY_MAILBOX_ADDRESS + 0x1000
    .org hatchery_stub_tables + HATCHERY_STUB_TSS - HATCHERY_TABLES_ADDRESS + 102
    .word HATCHERY_STUB_TSS_LIMIT + 1
    .globl hatchery_stub_tables_end
    .hidden hatchery_stub_tables_end
hatchery_stub_tables_end:

    .section .note.GNU-stack, "", @progbits
