/* What Xen's loaders read from the file: ELF notes (Xen's elfnote.h), for PV and for PVH. */
#include "interface.h"

#define NOTE_ENTRY 1
#define NOTE_HYPERCALL_PAGE 2
#define NOTE_VIRT_BASE 3
#define NOTE_PADDR_OFFSET 4
#define NOTE_XEN_VERSION 5
#define NOTE_GUEST_OS 6
#define NOTE_LOADER 8
#define NOTE_PAE_MODE 9
#define NOTE_PHYS32_ENTRY 18

    .section .note.Xen, "a", @note

.macro note type, bytes:vararg
    .balign 4
    .long 4, 2f - 1f, \type
    .asciz "Xen"
1:  \bytes
2:
.endm

    note NOTE_GUEST_OS, .asciz "Hatchery image"
    note NOTE_XEN_VERSION, .asciz "xen-3.0"
    note NOTE_LOADER, .asciz "generic"
    note NOTE_PAE_MODE, .asciz "yes"
    /* PV: virtual address = p_paddr - PADDR_OFFSET + VIRT_BASE. */
    note NOTE_VIRT_BASE, .quad XEN_KERNEL_BASE
    note NOTE_PADDR_OFFSET, .quad 0
    note NOTE_ENTRY, .quad pv_entry
    note NOTE_HYPERCALL_PAGE, .quad xen_hypercall_page
    /* PVH: a physical address, entered in 32-bit mode without paging. */
    note NOTE_PHYS32_ENTRY, .quad pvh_entry - XEN_KERNEL_BASE

    .section .note.GNU-stack, "", @progbits
