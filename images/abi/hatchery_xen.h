/*
 * What a Hatchery guest is on Xen: the ring-0 stub, its address space and its mailbox.
 *
 * An image runs in ring 3, as on KVM (hatchery.h). On Xen a few instructions of ring 0 stand
 * under it, in pages that ring 3 cannot reach: images/kernel/xen/pvh_stub.S. They take the doorbell
 * (its page is not mapped, so that the store faults) and every other exception, tell Dom0 by an
 * event channel, wait in SCHEDOP_poll and go back to ring 3 when Dom0 has answered.
 *
 * All that ring 3 can change is in memory when Dom0 sees it: the general registers are in the
 * mailbox's frame, and the vector state goes to its initial configuration where Dom0 says
 * HATCHERY_MAILBOX_RESET. So a snapshot is memory and nothing else.
 *
 * The first part of this file is for the assembler too.
 */
#ifndef HATCHERY_XEN_H
#define HATCHERY_XEN_H

/*
 * ADDRESS SPACE of the stub, in the range that hatchery.h gives to the host. Supervisor pages.
 *
 *   HATCHERY_STUB_ADDRESS     r-x  hatchery_stub_code .. hatchery_stub_code_end
 *   HATCHERY_MAILBOX_ADDRESS  rw-  struct hatchery_mailbox, with the ring-0 stack in it
 *   HATCHERY_TABLES_ADDRESS   r--  hatchery_stub_tables .. hatchery_stub_tables_end: GDT, IDT, TSS.
 *                                  Accessed bits are set; the TSS is marked available, for LTR. Who
 *                                  uses LTR needs the page writable until then.
 *   HATCHERY_SHARED_INFO      rw-  Xen's shared_info, in the 64-bit layout
 *
 * Where Dom0 builds the address space, the first three are the guest physical pages 0, 1 and 2.
 */
#define HATCHERY_STUB_ADDRESS 0x00100000
#define HATCHERY_MAILBOX_ADDRESS 0x00101000
#define HATCHERY_TABLES_ADDRESS 0x00102000
#define HATCHERY_SHARED_INFO 0x00103000

/*
 * ENTRY of the stub: ring 0 in long mode, interrupts off, RSP = HATCHERY_STUB_STACK, the tables
 * below loaded, other registers unspecified. It waits until `answered` is `rung`, and then goes to
 * ring 3 by the frame. A start of an image is such an answer: a frame that has the image's entry
 * and stack and zeroes else, and HATCHERY_MAILBOX_RESET.
 */
#define HATCHERY_STUB_ENTRY (HATCHERY_STUB_ADDRESS + 0x200)
#define HATCHERY_STUB_STACK (HATCHERY_MAILBOX_ADDRESS + HATCHERY_MAILBOX_FRAME)

/* The tables. Limits are as the registers have them: the last byte. */
#define HATCHERY_STUB_GDT HATCHERY_TABLES_ADDRESS
#define HATCHERY_STUB_GDT_LIMIT 0x37
#define HATCHERY_STUB_IDT (HATCHERY_TABLES_ADDRESS + 0x100)
#define HATCHERY_STUB_IDT_LIMIT 0x1ff
#define HATCHERY_STUB_TSS (HATCHERY_TABLES_ADDRESS + 0x300)
#define HATCHERY_STUB_TSS_LIMIT 0x67

/* Selectors in the GDT. */
#define HATCHERY_KERNEL_CODE 0x08
#define HATCHERY_KERNEL_DATA 0x10
#define HATCHERY_USER_CODE 0x1b
#define HATCHERY_USER_DATA 0x23
#define HATCHERY_TASK 0x28

/*
 * The one form of the doorbell that Xen's platforms know: `movb %dil, 0x180000`, eight bytes. Any
 * other access to that page is a fault.
 */
#define HATCHERY_DOORBELL_CODE 0x40, 0x88, 0x3c, 0x25, 0x00, 0x00, 0x18, 0x00
#define HATCHERY_DOORBELL_CODE_BYTES 8

/* `operation` in the mailbox where it is no hypercall: an exception, which ends the instance. */
#define HATCHERY_MAILBOX_FAULT 0x100

/* `command` in the mailbox. */
#define HATCHERY_MAILBOX_CONTINUE 1 /* go on */
#define HATCHERY_MAILBOX_RESET 2    /* go on, with the vector state in its initial configuration */

/* `instruction` in the mailbox: how this processor makes a hypercall. */
#define HATCHERY_MAILBOX_VMCALL 0  /* Intel */
#define HATCHERY_MAILBOX_VMMCALL 1 /* AMD */

/* Offsets in struct hatchery_mailbox, for the assembler. */
#define HATCHERY_MAILBOX_PORT 0
#define HATCHERY_MAILBOX_ANSWERED 4
#define HATCHERY_MAILBOX_COMMAND 8
#define HATCHERY_MAILBOX_INSTRUCTION 12
#define HATCHERY_MAILBOX_HANDLER 16
#define HATCHERY_MAILBOX_RUNG 24
#define HATCHERY_MAILBOX_OPERATION 28
#define HATCHERY_MAILBOX_VECTOR 32
#define HATCHERY_MAILBOX_ERROR_CODE 40
#define HATCHERY_MAILBOX_FAULT_ADDRESS 48
#define HATCHERY_MAILBOX_STUB_FAULT 56
#define HATCHERY_MAILBOX_FRAME 0xf50

#ifdef __ASSEMBLER__

/* The general registers of struct hatchery_frame, on the stack below the vector. */
.macro push_registers
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm
.macro pop_registers
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
.endm

/* For FXRSTOR: the vector state in its initial configuration (Intel SDM volume 1, section 10.5.1). */
.macro initial_fxsave_area
    .word 0x37f /* x87 control word */
    .skip 22
    .long 0x1f80 /* MXCSR */
    .skip 512 - 28
.endm

#else

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Ring 3's registers; from `rip` on, and the error code where there is one, as the processor
 * pushes them. */
struct hatchery_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t vector;
    uint64_t error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

/*
 * PROTOCOL. The stub fills in what it reports, adds one to `rung`, sends the event, and waits until
 * `answered` is `rung`. The host takes an event for one where `rung` is `answered` + 1 (modulo
 * 2^32), and ignores any other. It then reads each field once, writes windows, `command` and, last,
 * `answered`, and notifies. `rung` and `answered` belong to the domain: a rewind leaves them alone.
 *
 * Ring 3 cannot reach this page. The host checks what it reads from here all the same.
 */
struct hatchery_mailbox {
    /* Host to stub. */
    uint32_t port;        /* the domain's event channel, masked in shared_info */
    uint32_t answered;    /* what `rung` was at the exit that is answered */
    uint32_t command;     /* HATCHERY_MAILBOX_CONTINUE, _RESET */
    uint32_t instruction; /* HATCHERY_MAILBOX_VMCALL, _VMMCALL */
    /*
     * 0, or the address of a function of ring 0 that does what the host would do: where an image
     * runs without a Hatchery host. It is called as void (struct hatchery_mailbox *), on the stub's
     * stack (3,000 bytes), must not touch the vector state, and returns when ring 3 is to go on.
     * `rung` and `answered` stay equal then.
     */
    uint64_t handler;
    /* Stub to host. */
    uint32_t rung;
    uint32_t operation; /* enum hatchery_operation, any other byte, or HATCHERY_MAILBOX_FAULT */
    /* With HATCHERY_MAILBOX_FAULT: */
    uint32_t vector;
    uint32_t reserved; /* 0 */
    uint64_t error_code;
    uint64_t fault_address; /* CR2: of use where `vector` is 14 */
    uint64_t stub_fault;    /* where in ring 0, if it was there: a defect of the stub's or the host's */
    uint8_t stack[HATCHERY_MAILBOX_FRAME - 64];
    struct hatchery_frame frame;
};

static_assert(offsetof(struct hatchery_mailbox, port) == HATCHERY_MAILBOX_PORT &&
                  offsetof(struct hatchery_mailbox, answered) == HATCHERY_MAILBOX_ANSWERED &&
                  offsetof(struct hatchery_mailbox, command) == HATCHERY_MAILBOX_COMMAND &&
                  offsetof(struct hatchery_mailbox, instruction) == HATCHERY_MAILBOX_INSTRUCTION &&
                  offsetof(struct hatchery_mailbox, handler) == HATCHERY_MAILBOX_HANDLER &&
                  offsetof(struct hatchery_mailbox, rung) == HATCHERY_MAILBOX_RUNG &&
                  offsetof(struct hatchery_mailbox, operation) == HATCHERY_MAILBOX_OPERATION &&
                  offsetof(struct hatchery_mailbox, vector) == HATCHERY_MAILBOX_VECTOR &&
                  offsetof(struct hatchery_mailbox, error_code) == HATCHERY_MAILBOX_ERROR_CODE &&
                  offsetof(struct hatchery_mailbox, fault_address) ==
                      HATCHERY_MAILBOX_FAULT_ADDRESS &&
                  offsetof(struct hatchery_mailbox, stub_fault) == HATCHERY_MAILBOX_STUB_FAULT &&
                  offsetof(struct hatchery_mailbox, frame) == HATCHERY_MAILBOX_FRAME &&
                  sizeof(struct hatchery_mailbox) == 4096,
              "the offsets above are those of the structure");

/* The stub, as bytes to be copied to where they run; linked in from pvh_stub.S. */
#ifdef __cplusplus
extern "C" {
#endif
extern const unsigned char hatchery_stub_code[];
extern const unsigned char hatchery_stub_code_end[];
extern const unsigned char hatchery_stub_tables[];
extern const unsigned char hatchery_stub_tables_end[];
#ifdef __cplusplus
}
#endif

#endif

#endif
