/*
 * Tries to get at the ring-0 stub that is under it on Xen, and at Xen itself; the first byte of the
 * request's body chooses how. It answers with RAX, 8 bytes, if it is still alive afterwards.
 */
#include "kernel.h"

#define STUB 0x100000UL
#define MAILBOX 0x101000UL
#define TABLES 0x102000UL
#define SHARED_INFO 0x103000UL
#define PAGE_OFFSET_OF_ENTRY 0x200

static unsigned long rax;

void application_start(void) {}

static void load(unsigned long address) {
    rax = *(volatile unsigned long*)address;
}

static void store(unsigned long address) {
    *(volatile unsigned long*)address = 0;
}

/* A hypercall of Xen's by one of the two instructions for it. */
#define HYPERCALL(instruction, number, first)                                                     \
    __asm__ volatile(instruction                                                                  \
                     : "=a"(rax)                                                                  \
                     : "a"((unsigned long)(number)), "D"((unsigned long)(first)), "S"(&argument), \
                       "d"(0UL)                                                                   \
                     : "memory")

static void intrude(unsigned char how) {
    static struct {
        unsigned short domain, remote;
        unsigned port;
        unsigned long more[4];
    } argument = {.domain = 0x7ff0};
    const struct {
        unsigned long offset;
        unsigned short selector;
    } __attribute__((packed)) kernel_code = {STUB + PAGE_OFFSET_OF_ENTRY, 0x08};
    switch (how) {
        case 'a':
            load(STUB);
            break;
        case 'b':
            load(MAILBOX);
            break;
        case 'c':
            load(TABLES);
            break;
        case 'd':
            load(SHARED_INFO);
            break;
        case 'e':
            store(STUB);
            break;
        case 'f':
            store(MAILBOX);
            break;
        case 'g':
            store(TABLES);
            break;
        case 'h':
            store(SHARED_INFO);
            break;
        case 'i': /* a jump to its entry */
            ((void (*)(void))(STUB + PAGE_OFFSET_OF_ENTRY))();
            break;
        case 'j': /* the same with its code segment */
            __asm__ volatile("rex.w lcall *%0" ::"m"(kernel_code) : "memory");
            break;
        case 'k':
            __asm__ volatile("movw %w0, %%ss" ::"r"(0x10));
            break;
        case 'l':
            __asm__ volatile("movw %w0, %%ds" ::"r"(0x10));
            break;
        case 'm': /* its vectors, as software interrupts */
            __asm__ volatile("int $14");
            break;
        case 'n':
            __asm__ volatile("int $2");
            break;
        case 'o': /* the debug exception, which asks for no privilege */
            __asm__ volatile(".byte 0xf1");
            break;
        case 'p': /* the doorbell with a prefix more */
            __asm__ volatile(".byte 0x67; movb %%dil, 0x180000" ::"D"(2) : "memory");
            break;
        case 'q': /* the doorbell by way of a register */
            __asm__ volatile("movb %%dil, (%0)" ::"r"(0x180000UL), "D"(2) : "memory");
            break;
        case 'r': /* an exception without a stack */
            __asm__ volatile("xorl %%esp, %%esp; ud2" ::: "memory");
            break;
        case 's': /* and with one that is no address */
            __asm__ volatile("movq %0, %%rsp; pushq $0" ::"r"(0x8000000000000000UL) : "memory");
            break;
        case 't': /* a jump to an address that is none */
            __asm__ volatile("jmp *%0" ::"r"(0x800000000000UL));
            break;
        case 'u': /* I/O privilege by POPF, which ignores it, then its use */
            __asm__ volatile("pushfq; orq $0x3000, (%%rsp); popfq; cli" ::: "memory", "cc");
            break;
        case 'v': /* the page tables by an address that they might have */
            load(0x800000UL);
            break;
        /* Intel's instruction, then AMD's: unbinds a port, shuts down, gives memory back, allocates
         * a port. */
        case 'A':
            HYPERCALL("vmcall", 32, 3);
            break;
        case 'B':
            HYPERCALL("vmcall", 29, 2);
            break;
        case 'C':
            HYPERCALL("vmcall", 12, 1);
            break;
        case 'D':
            HYPERCALL("vmcall", 32, 6);
            break;
        case 'E':
            HYPERCALL("vmmcall", 32, 3);
            break;
        case 'F':
            HYPERCALL("vmmcall", 29, 2);
            break;
        case 'G':
            HYPERCALL("vmmcall", 12, 1);
            break;
        case 'H':
            HYPERCALL("vmmcall", 32, 6);
            break;
        default:
            break;
    }
}

void application_serve(void) {
    unsigned char how = 0;
    request_body_read(&how, 1);
    intrude(how);
    respond(&(struct response){.status = 200, .body = &rax, .body_bytes = sizeof rax});
}
