/*
 * Dumps all of its registers the moment that it is resumed, then, if the request asks for it, wrecks
 * every register that ring 3 can write. It answers with the dump, in the response window:
 *   0  16 general registers and RFLAGS, 8 bytes each (RSP as at the resume)
 *   136 DS, ES, FS, GS selectors, 2 bytes each
 *   144 FS and GS base, 8 bytes each, if the request asks for them
 *   192 the XSAVE area, with what XCR0 enables; where the host offers no XSAVE, the area of FXSAVE,
 *       which is its first 512 bytes, and zeroes
 * The request is two bytes: 0 dump only, 1 wreck as well; then 1 to include FS and GS base, which
 * ring 3 can read and write on some hosts only.
 */
#define DOORBELL 0x180000
#define REQUEST (0x50000000 + 128 + 16)
#define RESPONSE_BYTES (0x50000000 + 64)
#define RESPONSE (0x50000000 + 0x40000)
#define XSAVE_AREA (RESPONSE + 192)
#define DUMP_BYTES (192 + 2816)

/* The hypercall, in the one form that every platform takes: the operation is in RDI. */
.macro doorbell operation
    movl $\operation, %edi
    movb %dil, DOORBELL
.endm

/* Clears ZF where XSAVE and XGETBV can be used. Changes RAX, RBX, RCX, RDX. */
.macro has_xsave
    movl $1, %eax
    cpuid
    testl $1 << 27, %ecx /* OSXSAVE */
.endm

    .section .text.start, "ax"
    .globl _start
_start:
    /* Values that the snapshot holds, so that a rewind has something to bring back. */
    movq $0x1111, %rbx
    movq $0x2222, %rbp
    movq $0x3333, %r12
    movq $0x4444, %r13
    movq $0x5555, %r14
    movq $0x6666, %r15
    movq $0x7777, %rsi
    movq $0x9999, %r8
    movq $0xaaaa, %r9
    movq $0xbbbb, %r10
    movq $0xcccc, %r11
    movq $0xdddd, %rcx
    doorbell 1 /* ready */

serve:
    movq %rax, RESPONSE + 0
    movq %rbx, RESPONSE + 8
    movq %rcx, RESPONSE + 16
    movq %rdx, RESPONSE + 24
    movq %rsi, RESPONSE + 32
    movq %rdi, RESPONSE + 40
    movq %rbp, RESPONSE + 48
    movq %rsp, RESPONSE + 56
    movq %r8, RESPONSE + 64
    movq %r9, RESPONSE + 72
    movq %r10, RESPONSE + 80
    movq %r11, RESPONSE + 88
    movq %r12, RESPONSE + 96
    movq %r13, RESPONSE + 104
    movq %r14, RESPONSE + 112
    movq %r15, RESPONSE + 120
    pushfq
    popq %rax
    movq %rax, RESPONSE + 128
    movw %ds, RESPONSE + 136
    movw %es, RESPONSE + 138
    movw %fs, RESPONSE + 140
    movw %gs, RESPONSE + 142
    cmpb $1, REQUEST + 1
    jne 4f
    rdfsbase %rax
    movq %rax, RESPONSE + 144
    rdgsbase %rax
    movq %rax, RESPONSE + 152
4:
    has_xsave
    jz 5f
    movl $-1, %eax
    movl $-1, %edx
    xsave64 XSAVE_AREA
    jmp 6f
5:  fxsave64 XSAVE_AREA
6:  movl $DUMP_BYTES, RESPONSE_BYTES
    cmpb $1, REQUEST
    je wreck
    doorbell 2 /* respond */
    jmp serve

wreck:
    xorl %r15d, %r15d
    has_xsave
    jz 7f
    xorl %ecx, %ecx
    xgetbv
    movl %eax, %r15d
7:
    /* x87: control word, a value, a pending status, the last instruction's addresses. */
    fninit
    fldpi
    fld1
    fldz
    fdivrp %st, %st(1)
    fldcw control_word
    /* SSE: the control word and all registers. */
    ldmxcsr mxcsr
    movdqu pattern, %xmm0
    .irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    movdqa %xmm0, %xmm\n
    .endr
    testl $4, %r15d /* AVX */
    jz 1f
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    vinsertf128 $1, %xmm\n, %ymm\n, %ymm\n
    .endr
1:  movl %r15d, %eax
    andl $0xe0, %eax
    cmpl $0xe0, %eax /* AVX-512: masks, upper halves, upper registers */
    jne 2f
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    vmovdqu64 pattern, %zmm\n
    .endr
    .irp n, 0,1,2,3,4,5,6,7
    kmovw %r15d, %k\n
    .endr
2:  /* Segments: null selectors, which also clear the bases; then a base where the host lets us. */
    xorl %eax, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    cmpb $1, REQUEST + 1
    jne 3f
    movq $0x123456789000, %rax
    wrfsbase %rax
    wrgsbase %rax
3:  /* Flags: direction, alignment check, identification, overflow, nested task. */
    pushq $0x244cd5
    popfq
    .irp r, rax,rbx,rcx,rdx,rsi,rdi,rbp,r8,r9,r10,r11,r12,r13,r14,r15
    movq $0x5a5a5a5a5a5a5a5a, %\r
    .endr
    movq $0x6ffff000, %rsp
    doorbell 2 /* respond */
    jmp serve

    .section .rodata
    .balign 64
pattern:
    .fill 64, 1, 0xa5
control_word:
    .word 0x0e7f
    .balign 4
mxcsr:
    .long 0x1fff & ~0x3f | 0x8040

    .section .note.hatchery, "a", @note
    .balign 4
    .long 9, 4, 1
    .asciz "Hatchery"
    .balign 4
    .long 1
    .section .note.GNU-stack, "", @progbits
