/* The program under test: what it does is the request's path. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

int failures;
static _Thread_local int count = 3;
static int constructed;

__attribute__((constructor)) static void construct(void) {
    constructed = 42;
}

static void print_formats(void) {
    printf("%.17g %a %e %Lf %5.1f|%-6d|%#x|%s|%zu\n", 0.1, 1.5, 12345.678, 2.5L, 3.14159, 42, 255u,
           "text", sizeof(long));
    printf("%.10f %.10f %g\n", sin(1), pow(2, 0.5), strtod("1e-310", NULL));
}

static int recurse(volatile char *before) {
    volatile char here[4096];
    here[0] = before == NULL ? 1 : before[0];
    return recurse(here) + here[0];
}

static void echo(void) {
    char part[1000];
    size_t bytes;
    usleep(2000);
    while ((bytes = fread(part, 1, sizeof part, stdin)) > 0) {
        fwrite(part, 1, bytes, stdout);
    }
}

static void leave_traces(void) {
    FILE *trace = fopen("/tmp/trace", "r");
    printf("%d %s\n", count++, trace == NULL ? "no file" : "a file");
    trace = trace == NULL ? fopen("/tmp/trace", "w") : trace;
    fclose(trace);
}

static void at_exit(void) {
    printf("at exit\n");
}

int main(int argc, char **argv) {
    const char *path = getenv("PATH_INFO");
    if (strcmp(path, "/code") == 0) {
        return 3;
    }
    if (strcmp(path, "/abort") == 0) {
        abort();
    }
    if (strcmp(path, "/signal") == 0) {
        raise(SIGTERM);
    }
    if (strcmp(path, "/null") == 0) {
        *(volatile int *)getenv("NOT_THERE") = 1;
    }
    if (strcmp(path, "/recurse") == 0) {
        return recurse(NULL);
    }
    if (strcmp(path, "/hidden") == 0) {
        /* A SYSCALL instruction in the middle of another one. */
        __asm__ volatile("lea 1f(%%rip), %%rax\n add $2, %%rax\n jmp *%%rax\n"
                         "1: movabs $0x050f050f050f050f, %%rcx\n" ::: "rax", "rcx", "r11", "memory");
    }
    printf("Content-Type: text/plain\n\n");
    if (strcmp(path, "/files") == 0) {
        check_files();
        check_directories();
    } else if (strcmp(path, "/memory") == 0) {
        check_memory();
    } else if (strcmp(path, "/process") == 0) {
        CHECK(argc >= 1 && argv[argc] == NULL && constructed == 42);
        check_process();
    } else if (strcmp(path, "/time") == 0) {
        check_time();
    } else if (strcmp(path, "/formats") == 0) {
        print_formats();
    } else if (strcmp(path, "/echo") == 0) {
        echo();
        return 0;
    } else if (strcmp(path, "/traces") == 0) {
        leave_traces();
    } else if (strcmp(path, "/variables") == 0) {
        printf("%s %s %s\n", getenv("REQUEST_METHOD"), getenv("QUERY_STRING"), getenv("HTTP_X_TEST"));
    } else if (strcmp(path, "/at-exit") == 0) {
        atexit(at_exit);
        exit(0);
    } else if (strcmp(path, "/absent") == 0) {
        CHECK_FAILS(fork(), ENOSYS);
        CHECK_FAILS(fork(), ENOSYS);
    }
    puts(failures == 0 ? "ok" : "failed");
    return 0;
}
