/*
 * keeps_registers SECONDS: fills the SSE registers, spins for a moment, and looks whether they are as they
 * were, again and again. Prints in how many rounds they were not. Static: Dom0 has no musl.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REGISTERS 16
#define SPINS 200000

static unsigned char wanted[REGISTERS][16] __attribute__((aligned(16)));
static unsigned char found[REGISTERS][16] __attribute__((aligned(16)));

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

#define FILL(n) "movdqa " #n "*16(%[wanted]), %%xmm" #n "\n"
#define READ(n) "movdqa %%xmm" #n ", " #n "*16(%[found])\n"
#define EACH(step)                                                                             \
    step(0) step(1) step(2) step(3) step(4) step(5) step(6) step(7) step(8) step(9) step(10)   \
        step(11) step(12) step(13) step(14) step(15)

/* In one piece, so that the compiler uses no register in between. */
static void fill_spin_and_read(void) {
    unsigned spins = SPINS;
    __asm__ volatile(EACH(FILL) "1: dec %[spins]\n"
                                "jnz 1b\n" EACH(READ)
                     : [spins] "+r"(spins)
                     : [wanted] "r"(wanted), [found] "r"(found)
                     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
                       "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
                       "xmm15");
}

int main(int count, char **arguments) {
    if (count != 2) {
        fputs("usage: keeps_registers SECONDS\n", stderr);
        return 2;
    }
    const double end = now() + atof(arguments[1]);
    for (int i = 0; i < REGISTERS; i++) {
        memset(wanted[i], i + 1, sizeof wanted[i]);
    }
    long rounds = 0;
    long lost = 0;
    while (now() < end) {
        fill_spin_and_read();
        lost += memcmp(wanted, found, sizeof wanted) != 0;
        rounds++;
    }
    printf("{\"rounds\": %ld, \"lost\": %ld}\n", rounds, lost);
    return 0;
}
