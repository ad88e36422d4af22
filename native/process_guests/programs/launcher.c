/*
 * Becomes a guest: maps what the plan says, gives up everything but its own memory and one socket, then
 * jumps to the image. What stays of it in the guest's address space is the handler of the doorbell.
 * The guest can overwrite that: the walls are the kernel's filter and the host, which believes nothing.
 *
 * Freestanding: no C library, no thread-local storage, general registers only, so that the image finds
 * the vector state in its initial configuration.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "../../../images/abi/hatchery.h"
#include "protocol.h"

enum { SIGILL_ = 4, SIGTRAP_ = 5, SIGBUS_ = 7, SIGFPE_ = 8, SIGSEGV_ = 11, SIGCHLD_ = 17 };
enum { SEND_NO_SIGNAL = 0x4000, STACK_BYTES = 65536 };
#define TASK_END UINT64_C(0x7ffffffff000)

static unsigned char signal_stack[STACK_BYTES] __attribute__((aligned(16)));
unsigned char launcher_stack[STACK_BYTES] __attribute__((aligned(16)));
static struct guest_plan plan;

static long call(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

__attribute__((noreturn)) static void leave(int status) {
    for (;;) {
        call(SYS_exit_group, status, 0, 0, 0, 0, 0);
    }
}

/* A step of start-up that must succeed; the status says which did not. */
static long must(int step, long result) {
    if (result < 0 && result > -4096) {
        leave(step);
    }
    return result;
}

/* The kernel's layouts (arch/x86/include/uapi/asm/sigcontext.h, ucontext.h). */
struct context {
    uint64_t flags, link, stack[3];
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint64_t segments, error, trap, mask, cr2;
};

struct action {
    void (*handler)(int, const void *, struct context *);
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

__attribute__((visibility("hidden"))) void signal_return(void);
__attribute__((noreturn, visibility("hidden"))) void enter_image(uint64_t entry, uint64_t stack);

static void adopt_own_channel(void) {
    /* The spawner puts this process's own socket and channel in place of those of its parent. */
    const long mapped = call(SYS_mmap, HATCHERY_CHANNEL_ADDRESS, HATCHERY_CHANNEL_BYTES,
                             PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, GUEST_CHANNEL, 0);
    if (mapped != HATCHERY_CHANNEL_ADDRESS) {
        leave(90);
    }
}

/*
 * Forks once the spawner grants it; true in the child. `last`, what the fork before gave, tells the
 * spawner by the way when that one has failed.
 */
static int has_forked(long *last) {
    *last = call(SYS_clone, CLONE_PARENT | SIGCHLD_, 0, *last < 0 ? *last : 0, 0, 0, 0);
    if (*last == 0) {
        adopt_own_channel();
        return 1;
    }
    return 0;
}

/* Returns when the host says that the guest may run. */
static void await_run(void) {
    for (;;) {
        unsigned char command = 0;
        long last = 0;
        const long got = call(SYS_read, GUEST_SOCKET, (long)&command, 1, 0, 0, 0);
        if (got != 1) {
            leave(91); /* the host is gone */
        }
        switch (command) {
            case COMMAND_RUN: return;
            case COMMAND_FORK: has_forked(&last); break;
            case COMMAND_ZYGOTE:
                while (!has_forked(&last)) {
                }
                break;
        }
    }
}

static void tell(uint32_t kind, uint32_t number, const struct context *context) {
    const struct guest_message message = {kind,         number,         context->rip,
                                          context->rsp, context->error, context->cr2};
    if (call(SYS_write, GUEST_SOCKET, (long)&message, sizeof message, 0, 0, 0) < 0) {
        leave(92);
    }
}

/* `movb %dil, HATCHERY_DOORBELL_ADDRESS`, as the assembler encodes it. */
static const unsigned char doorbell[8] = {0x40, 0x88, 0x3c, 0x25, 0x00, 0x00, 0x18, 0x00};

static int is_doorbell(const struct context *context) {
    enum { PAGE_FAULT = 14, WRITE = 2, FETCH = 16 };
    if (context->trap != PAGE_FAULT || (context->error & (WRITE | FETCH)) != WRITE ||
        context->cr2 != HATCHERY_DOORBELL_ADDRESS) {
        return 0;
    }
    for (size_t i = 0; i < sizeof doorbell; i++) {
        if (((const volatile unsigned char *)context->rip)[i] != doorbell[i]) {
            return 0;
        }
    }
    return 1;
}

static void on_fault(int signal, const void *information, struct context *context) {
    (void)information;
    if (signal == SIGSEGV_ && is_doorbell(context)) {
        tell(MESSAGE_DOORBELL, (uint32_t)(context->rdi & 0xff), context);
        await_run();
        context->rip += sizeof doorbell;
        return;
    }
    tell(MESSAGE_FAULT, (uint32_t)context->trap, context);
    leave(93);
}

static void map_all(void) {
    must(20, call(SYS_pread64, GUEST_PLAN, (long)&plan, sizeof plan, 0, 0, 0));
    if (plan.count > GUEST_MAPPINGS) {
        leave(21);
    }
    /* The stack, the vDSO and its data, and whatever else the kernel put there. */
    must(22, call(SYS_munmap, LAUNCHER_ADDRESS + (1ul << 32),
                  TASK_END - LAUNCHER_ADDRESS - (1ul << 32), 0, 0, 0, 0));
    for (uint32_t i = 0; i < plan.count; i++) {
        const struct guest_mapping *one = &plan.mappings[i];
        const int zeroes = one->descriptor < 0;
        must(23, call(SYS_mmap, (long)one->address, (long)one->bytes, one->protection,
                      MAP_PRIVATE | MAP_FIXED_NOREPLACE | MAP_NORESERVE |
                          (zeroes ? MAP_ANONYMOUS : 0),
                      one->descriptor, (long)one->offset));
    }
    must(24, call(SYS_mmap, HATCHERY_CHANNEL_ADDRESS, HATCHERY_CHANNEL_BYTES,
                  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, GUEST_CHANNEL, 0));
}

static void catch_faults(void) {
    const struct {
        void *start;
        int flags;
        uint64_t bytes;
    } stack = {signal_stack, 0, sizeof signal_stack};
    must(30, call(SYS_sigaltstack, (long)&stack, 0, 0, 0, 0, 0));
    enum { SA_SIGINFO_ = 4, SA_RESTORER_ = 0x04000000, SA_ONSTACK_ = 0x08000000 };
    const struct action action = {on_fault, SA_SIGINFO_ | SA_RESTORER_ | SA_ONSTACK_, signal_return, 0};
    static const int signals[] = {SIGILL_, SIGTRAP_, SIGBUS_, SIGFPE_, SIGSEGV_};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        must(31, call(SYS_rt_sigaction, signals[i], (long)&action, 0, 8, 0, 0));
    }
}

#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(what))
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define GIVE(outcome) BPF_STMT(BPF_RET | BPF_K, (uint32_t)(outcome))
#define ARGUMENT(number) (offsetof(struct seccomp_data, args) + (number) * 8)

/* The spawner is asked about these two; it sends the listener on and knows whom it granted what. */
static const struct sock_filter asking[] = {
    LOAD(offsetof(struct seccomp_data, nr)), EQUAL(SYS_clone, 1, 0), EQUAL(SYS_mmap, 0, 1),
    GIVE(SECCOMP_RET_USER_NOTIF),            GIVE(SECCOMP_RET_ALLOW),
};

/*
 * All that a guest may do: what its handler does, on its one socket. Other instruction sets have other
 * numbers (`int $0x80`), x32 has a bit of its own: neither is equal to any of these.
 */
static const struct sock_filter walls[] = {
    LOAD(offsetof(struct seccomp_data, arch)),
    EQUAL(AUDIT_ARCH_X86_64, 1, 0),
    GIVE(SECCOMP_RET_KILL_PROCESS),
    LOAD(offsetof(struct seccomp_data, nr)),
    EQUAL(SYS_rt_sigreturn, 11, 0),
    EQUAL(SYS_exit_group, 10, 0),
    EQUAL(SYS_read, 4, 0),
    EQUAL(SYS_write, 3, 0),
    EQUAL(SYS_clone, 7, 0),
    EQUAL(SYS_mmap, 6, 0),
    GIVE(SECCOMP_RET_KILL_PROCESS),
    LOAD(ARGUMENT(0)),
    EQUAL(GUEST_SOCKET, 0, 2),
    LOAD(ARGUMENT(0) + 4),
    EQUAL(0, 1, 0),
    GIVE(SECCOMP_RET_KILL_PROCESS),
    GIVE(SECCOMP_RET_ALLOW),
};

/* The same where nobody can be asked. */
static const struct sock_filter no_clones[] = {
    LOAD(offsetof(struct seccomp_data, nr)), EQUAL(SYS_clone, 1, 0), EQUAL(SYS_mmap, 0, 1),
    GIVE(SECCOMP_RET_KILL_PROCESS),          GIVE(SECCOMP_RET_ALLOW),
};

struct program {
    unsigned short count;
    const struct sock_filter *code;
};

#define PROGRAM(code) {sizeof code / sizeof *code, code}

static long install(int step, struct program program, long flags) {
    return must(step, call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, (long)&program, 0, 0, 0));
}

static void send_listener(int listener) {
    struct {
        uint64_t bytes;
        int32_t level, type, descriptor, padding;
    } control = {20, 1 /* SOL_SOCKET */, 1 /* SCM_RIGHTS */, listener, 0};
    unsigned char byte = 1;
    struct {
        void *base;
        uint64_t bytes;
    } vector = {&byte, 1};
    struct {
        void *name;
        uint32_t name_bytes, padding;
        void *vectors;
        uint64_t count;
        void *control;
        uint64_t control_bytes;
        int32_t flags, padding_after;
    } header = {0, 0, 0, &vector, 1, &control, sizeof control, 0, 0};
    must(41, call(SYS_sendmsg, GUEST_SPAWNER, (long)&header, SEND_NO_SIGNAL, 0, 0, 0));
}

static void lock_down(void) {
    if (plan.notifies) {
        const struct program program = PROGRAM(asking);
        send_listener((int)install(40, program, SECCOMP_FILTER_FLAG_NEW_LISTENER));
    } else {
        const struct program program = PROGRAM(no_clones);
        install(42, program, 0);
        unsigned char byte = 1;
        must(43, call(SYS_write, GUEST_SPAWNER, (long)&byte, 1, 0, 0, 0));
    }
    must(44, call(SYS_close_range, GUEST_SOCKET + 1, 0xffffffff, 0, 0, 0, 0));
    must(45, call(SYS_close_range, 0, GUEST_SOCKET - 1, 0, 0, 0, 0));
    const struct program program = PROGRAM(walls);
    install(46, program, 0);
}

__attribute__((noreturn, used)) void launch(void) {
    must(10, call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0));
    must(11, call(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0, 0));
    map_all();
    catch_faults();
    lock_down();
    await_run();
    enter_image(plan.entry, HATCHERY_STACK_TOP);
}

__asm__(".text\n"
        ".globl _start\n"
        "_start:\n"
        "    xorl %ebp, %ebp\n"
        "    leaq launcher_stack+65536(%rip), %rsp\n"
        "    call launch\n"
        "signal_return:\n"
        "    movl $15, %eax\n"
        "    syscall\n"
        "enter_image:\n"
        "    movq %rsi, %rsp\n"
        "    cld\n"
        "    jmp *%rdi\n");
