/*
 * Leaves the machine in every odd way; the first byte of the request's body chooses which. Each
 * must end the instance, but for the ones that are exact: those are the doorbell in other clothes,
 * which Xen does not take.
 */
#include "kernel.h"
#include "hypercall.h"

#define DOORBELL "0x180000"

void application_start(void) {}

static void leave(unsigned char way) {
    unsigned char *bell = (unsigned char *)HATCHERY_DOORBELL_ADDRESS;
    static const unsigned char sixteen[16] = {2};
    switch (way) {
        case 'a': /* a load from the doorbell's page */
            __asm__ volatile("movb " DOORBELL ", %%al" ::: "rax", "memory");
            break;
        case 'b': /* a wide load */
            __asm__ volatile("movq " DOORBELL ", %%rax" ::: "rax", "memory");
            break;
        case 'c': /* a wide store */ __asm__ volatile("movl $2, " DOORBELL ::: "memory"); break;
        case 'd': /* a store of 16 bytes, which takes two exits */
            __asm__ volatile("movdqu %0, %%xmm0; movdqu %%xmm0, " DOORBELL ::"m"(sixteen)
                             : "xmm0", "memory");
            break;
        case 'e': /* a store that crosses the end of the page */
            __asm__ volatile("movq $2, " DOORBELL "+4092" ::: "memory");
            break;
        case 'f': /* a byte elsewhere in the page */
            __asm__ volatile("movb $2, " DOORBELL "+1" ::: "memory");
            break;
        case 'g': /* an exchange: a load, then a store */
            __asm__ volatile("movb $2, %%al; xchgb %%al, " DOORBELL ::: "rax", "memory");
            break;
        case 'h': /* addition in place */
            __asm__ volatile("addb $2, " DOORBELL ::: "memory");
            break;
        case 'i': /* a load that is repeated */
            __asm__ volatile("rep movsb" ::"S"(bell), "D"(sixteen), "c"(4) : "memory");
            break;
        case 'j': /* an unknown operation */
            hypercall((enum hatchery_operation)99);
            break;
        case 'k': /* the host's own operation */
            hypercall((enum hatchery_operation)255);
            break;
        case 'l': /* a length beyond the response window */
            ((struct hatchery_control *)HATCHERY_CHANNEL_ADDRESS)->response_bytes = 0x40001;
            hypercall(HATCHERY_RESPOND);
            break;
        case 'm': /* a length beyond the log window */
            ((struct hatchery_control *)HATCHERY_CHANNEL_ADDRESS)->log_bytes = 0xffffffff;
            hypercall(HATCHERY_RESPOND);
            break;
        case 'n': /* port input */ __asm__ volatile("inb $0x48, %%al" ::: "rax", "memory"); break;
        case 'o': /* port output */
            __asm__ volatile("movb $2, %%al; outb %%al, $0x48" ::: "rax", "memory");
            break;
        case 'p': /* repeated port output */
            __asm__ volatile("rep outsb" ::"S"(sixteen), "d"(0x48), "c"(16) : "memory");
            break;
        case 'q': /* a fault */ __asm__ volatile("ud2"); break;
        case 'r': /* a call into the host's resume stub, which must not be run by the image */
            __asm__ volatile("movl $-1, %%eax; movl $-1, %%edx; jmp *%0" ::"r"(
                                 (unsigned long)HATCHERY_RESUME_ADDRESS + 64)
                             : "rax", "rdx", "memory");
            break;
        case 's': /* a push, 8 bytes wide */
            __asm__ volatile("movq %0, %%rsp; pushq $2" ::"r"(bell + 8) : "memory");
            break;
        /* Exact, and final: the operation is RESPOND. */
        case 'X': /* a string store */
            __asm__ volatile("rep stosb" ::"a"(2), "D"(bell), "c"(1) : "memory");
            break;
        case 'Y': /* a string store that would go on */
            __asm__ volatile("rep stosb" ::"a"(2), "D"(bell), "c"(8) : "memory");
            break;
        default: break;
    }
}

void application_serve(void) {
    unsigned char way = 0;
    request_body_read(&way, 1);
    /* A frame for the ways that ring the bell themselves. */
    struct hatchery_response *frame =
        (struct hatchery_response *)(HATCHERY_CHANNEL_ADDRESS + HATCHERY_RESPONSE_OFFSET);
    *frame = (struct hatchery_response){.status = 200};
    ((struct hatchery_control *)HATCHERY_CHANNEL_ADDRESS)->response_bytes = sizeof *frame;
    leave(way);
    respond(&(struct response){.status = 204});
}
