/* Xen fills this page; until then every call of it is a fault. */
    .section .text.hypercall_page, "ax"
    .globl xen_hypercall_page
    .balign 4096
xen_hypercall_page:
    .fill 2048, 2, 0x0b0f /* UD2 */

    .section .note.GNU-stack, "", @progbits
