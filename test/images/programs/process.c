#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static volatile int handled;

static void handle(int signal) {
    handled = signal;
}

static void *do_nothing(void *argument) {
    return argument;
}

void check_process(void) {
    struct utsname name;
    CHECK(uname(&name) == 0 && strcmp(name.machine, "x86_64") == 0);
    CHECK(getpid() == 1 && getuid() == 0);
    unsigned char random[2][32];
    CHECK(getrandom(random[0], 32, 0) == 32 && getrandom(random[1], 32, 0) == 32);
    CHECK(memcmp(random[0], random[1], 32) != 0);
    CHECK(signal(SIGUSR1, handle) == SIG_DFL && raise(SIGUSR1) == 0 && handled == SIGUSR1);
    CHECK(signal(SIGTERM, SIG_IGN) == SIG_DFL && kill(getpid(), SIGTERM) == 0);
    CHECK_FAILS(kill(17, SIGTERM), ESRCH);
    sigset_t set;
    CHECK(sigemptyset(&set) == 0 && sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(setenv("NAME", "value", 1) == 0 && strcmp(getenv("NAME"), "value") == 0);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur >= 1 << 20);
    jmp_buf place;
    volatile int jumps = 0;
    if (setjmp(place) < 3) {
        jumps++;
        longjmp(place, jumps);
    }
    CHECK(jumps == 3);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, do_nothing, NULL) == ENOSYS);
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    CHECK(pthread_mutex_lock(&mutex) == 0 && pthread_mutex_unlock(&mutex) == 0);
    CHECK(system("true") == -1 || errno != 0);
    CHECK_FAILS(syscall(100000, 0), ENOSYS);
    CHECK_FAILS(syscall(-5, 0), ENOSYS);
}

void check_time(void) {
    struct timespec before, after, pause = {.tv_nsec = 5000000};
    CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0 && nanosleep(&pause, NULL) == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
    const int64_t passed =
        (after.tv_sec - before.tv_sec) * INT64_C(1000000000) + after.tv_nsec - before.tv_nsec;
    CHECK(passed >= 5000000);
    struct timeval now;
    CHECK(gettimeofday(&now, NULL) == 0 && now.tv_sec == time(NULL) && now.tv_sec > 1700000000);
    CHECK_FAILS(clock_gettime(77, &before), EINVAL);
    pause.tv_nsec = -1;
    CHECK_FAILS(nanosleep(&pause, NULL), EINVAL);
    struct pollfd polled = {.fd = 0, .events = POLLIN};
    CHECK(poll(&polled, 1, 1000) == 1 && polled.revents == POLLIN);
    CHECK(poll(NULL, 0, 1) == 0);
    char text[40];
    struct tm parts;
    time_t moment = 86400;
    CHECK(gmtime_r(&moment, &parts) != NULL && strftime(text, sizeof text, "%F", &parts) == 10);
    CHECK(strcmp(text, "1970-01-02") == 0 && clock() >= 0);
}
