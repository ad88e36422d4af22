/*
 * Tries what ring 3 must not be able to do; the first byte of the request's body chooses what. It
 * answers 200 if it is still alive afterwards.
 */
#include "kernel.h"

void application_start(void) {}

static void attempt(unsigned char what) {
    static unsigned char code[16] = {0xc3};
    unsigned char table[10] = {0};
    unsigned long value = 0;
    switch (what) {
        case 'a': __asm__ volatile("syscall" ::"a"(39) : "rcx", "r11", "memory"); break;
        case 'b': __asm__ volatile("sysenter" ::: "memory"); break;
        case 'c': __asm__ volatile("int $0x80" ::"a"(20) : "memory"); break;
        case 'd': __asm__ volatile("int3"); break;
        case 'e': __asm__ volatile("hlt"); break;
        case 'f': __asm__ volatile("cli"); break;
        case 'g': __asm__ volatile("sti"); break;
        case 'h': __asm__ volatile("rdmsr" ::"c"(0xc0000082) : "rax", "rdx"); break;
        case 'i': __asm__ volatile("wrmsr" ::"c"(0xc0000080), "a"(0xd01), "d"(0)); break;
        case 'j': __asm__ volatile("mov %%cr3, %0" : "=r"(value)); break;
        case 'k': __asm__ volatile("mov %0, %%cr3" ::"r"(value)); break;
        case 'l': __asm__ volatile("lgdt %0" ::"m"(table)); break;
        case 'm': __asm__ volatile("lidt %0" ::"m"(table)); break;
        case 'n': __asm__ volatile("invlpg 0"); break;
        case 'o': __asm__ volatile("mov %0, %%dr0" ::"r"(value)); break;
        case 'p': __asm__ volatile("xsetbv" ::"c"(0), "a"(1), "d"(0)); break;
        case 'q': __asm__ volatile("swapgs"); break;
        case 'r': __asm__ volatile("iretq"); break;
        case 's': __asm__ volatile("ltr %%ax" ::"a"(0x28)); break;
        case 't': __asm__ volatile("wbinvd"); break;
        case 'u': __asm__ volatile("clts"); break;
        case 'v': /* page zero */ __asm__ volatile("movb $1, 0x10" ::: "memory"); break;
        case 'w': /* text */ *(volatile char *)HATCHERY_IMAGE_ADDRESS = 1; break;
        case 'x': /* data as code */ ((void (*)(void))(unsigned long)code)(); break;
        case 'y': /* the boot page */ *(volatile char *)HATCHERY_BOOT_ADDRESS = 1; break;
        case 'z': /* the resume stub */ *(volatile char *)HATCHERY_RESUME_ADDRESS = 1; break;
        case '0': /* its data */ *(volatile char *)(HATCHERY_RESUME_ADDRESS + 4096) = 1; break;
        case '1': /* behind the heap */
            *(volatile char *)(HATCHERY_HEAP_ADDRESS + heap_bytes()) = 1;
            break;
        case '2': /* below the stack */
            *(volatile char *)(HATCHERY_STACK_TOP -
                               ((const struct hatchery_boot *)HATCHERY_BOOT_ADDRESS)->stack_bytes -
                               1) = 1;
            break;
        case '3': /* the kernel's half of the address space */
            *(volatile char *)0xffff800000000000 = 1;
            break;
        case '4': __asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop" ::: "memory"); break;
        case '5': __asm__ volatile("divb %b0" ::"r"(0), "a"(1)); break;
        case '6': /* an address that is not canonical */
            *(volatile char *)0x8000000000000000 = 1;
            break;
        default: break;
    }
}

void application_serve(void) {
    unsigned char what = 0;
    request_body_read(&what, 1);
    attempt(what);
    respond(&(struct response){.status = 200, .body = "alive", .body_bytes = 5});
}
