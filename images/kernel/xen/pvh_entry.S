/*
 * PVH: from 32-bit mode without paging to 64-bit mode at the address that this code is linked to,
 * and from there to the ring-0 stub (pvh_stub.S).
 */
#include "../../abi/hatchery_xen.h"
#include "interface.h"

#define PHYSICAL(symbol) ((symbol) - XEN_KERNEL_BASE)

/* Page table entries (Intel SDM volume 3A, section 4.5). */
#define PRESENT_WRITABLE 3
#define LARGE 0x80
#define NOT_EXECUTABLE 0x8000000000000000

/* Control registers as on KVM; hatchery_xen.h's stub needs no more. */
#define CR0_64_BIT 0x80050033 /* PG AM WP NE ET MP PE */
#define CR4_64_BIT 0x620      /* PAE OSFXSR OSXMMEXCPT */
#define MSR_EFER 0xc0000080
#define EFER_64_BIT 0x900 /* NXE LME */

    .text
    .code32
/* From Xen: EBX is the address of struct hvm_start_info. */
    .globl pvh_entry
pvh_entry:
    cld
    movl $CR4_64_BIT, %eax
    movl %eax, %cr4
    movl $PHYSICAL(pvh_level_4), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    xorl %edx, %edx
    movl $EFER_64_BIT, %eax
    wrmsr
    movl $CR0_64_BIT, %eax
    movl %eax, %cr0
    lgdt PHYSICAL(boot_gdt_pointer)
    ljmp $HATCHERY_KERNEL_CODE, $PHYSICAL(in_64_bit_mode)

    .code64
in_64_bit_mode:
    movq $at_linked_address, %rax
    jmp *%rax
at_linked_address:
    movl $HATCHERY_KERNEL_DATA, %eax
    movl %eax, %ss
    movl %eax, %ds
    movl %eax, %es
    movq $pvh_boot_stack_end, %rsp
    movl %ebx, %edi
    xorl %ebp, %ebp
    call pvh_main
    ud2

/* void pvh_enter_stub(void) */
    .globl pvh_enter_stub
pvh_enter_stub:
    lgdt stub_gdt_pointer
    lidt stub_idt_pointer
    movl $HATCHERY_KERNEL_DATA, %eax
    movl %eax, %ss
    movl $HATCHERY_TASK, %eax
    ltr %ax
    movl $HATCHERY_STUB_STACK, %esp
    pushq $HATCHERY_KERNEL_CODE
    pushq $HATCHERY_STUB_ENTRY
    lretq

    .section .rodata
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* ring-0 code, 64-bit */
    .quad 0x00cf93000000ffff /* ring-0 data */
boot_gdt_pointer:
    .word . - boot_gdt - 1
    .long PHYSICAL(boot_gdt)
stub_gdt_pointer:
    .word HATCHERY_STUB_GDT_LIMIT
    .quad HATCHERY_STUB_GDT
stub_idt_pointer:
    .word HATCHERY_STUB_IDT_LIMIT
    .quad HATCHERY_STUB_IDT

/*
 * The kernel's half: the first GiB of memory at XEN_KERNEL_BASE, and 2 MiB at 1 GiB above that
 * for a page that is elsewhere. Until the image's tables are there, the first GiB is at 0 too, for
 * the instruction behind the one that turns paging on.
 */
    .data
    .balign 4096
    .globl pvh_level_4
pvh_level_4:
    .quad PHYSICAL(low_level_3) + PRESENT_WRITABLE
    .skip 8 * 510
    .quad PHYSICAL(high_level_3) + PRESENT_WRITABLE
low_level_3:
    .quad PHYSICAL(memory_level_2) + PRESENT_WRITABLE
    .skip 8 * 511
high_level_3:
    .skip 8 * 510
    .quad PHYSICAL(memory_level_2) + PRESENT_WRITABLE
    .quad PHYSICAL(pvh_window_level_2) + PRESENT_WRITABLE
memory_level_2:
.set large_page, 0
.rept 512
    .quad large_page * 0x200000 + LARGE + PRESENT_WRITABLE
    .set large_page, large_page + 1
.endr
    .globl pvh_window_level_2
pvh_window_level_2:
    .skip 4096

    .bss
    .balign 16
    .skip 8192
pvh_boot_stack_end:

    .section .note.GNU-stack, "", @progbits
