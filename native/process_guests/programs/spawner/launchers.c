/* Guests that start as launchers, and what those get. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawner.h"

/* How the fork ended that could not become a launcher. Its own steps (launcher.c) have other numbers. */
enum { NO_DESCRIPTORS = 125, NOT_LIMITED = 126, NOT_EXECUTED = 127 };

static void limit(int resource, rlim_t most) {
    const struct rlimit value = {most, most};
    if (setrlimit(resource, &value) < 0) {
        _exit(NOT_LIMITED);
    }
}

__attribute__((noreturn)) static void become_launcher(const int given[], int count, int to_spawner) {
    /* Out of the way of the numbers that are wanted. */
    int moved[SPAWN_DESCRIPTORS + 2];
    int wanted[SPAWN_DESCRIPTORS + 2];
    int used = 0;
    static const int numbers[] = {GUEST_SOCKET, GUEST_CHANNEL, GUEST_PLAN, GUEST_MEMORY, GUEST_SHARED};
    for (int i = 1; i < count; i++) {
        wanted[used] = numbers[i - 1];
        moved[used++] = given[i];
    }
    wanted[used] = GUEST_SPAWNER;
    moved[used++] = to_spawner;
    wanted[used] = GUEST_PROGRAM;
    moved[used++] = spawner.launcher_file;
    for (int i = 0; i < used; i++) {
        moved[i] = fcntl(moved[i], F_DUPFD, GUEST_DESCRIPTORS);
        if (moved[i] < 0) {
            _exit(NO_DESCRIPTORS);
        }
    }
    syscall(SYS_close_range, 0u, (unsigned)GUEST_DESCRIPTORS - 1, 0u);
    for (int i = 0; i < used; i++) {
        if (dup2(moved[i], wanted[i]) < 0) {
            _exit(NOT_LIMITED);
        }
    }
    syscall(SYS_close_range, (unsigned)GUEST_DESCRIPTORS, ~0u, 0u);
    fcntl(GUEST_PROGRAM, F_SETFD, FD_CLOEXEC);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, GUEST_DESCRIPTORS);
    limit(RLIMIT_MEMLOCK, 0);
    limit(RLIMIT_FSIZE, 0);
    /* So that what a guest has written is counted by pages, and a fork of it copies no more than those. */
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        _exit(NOT_LIMITED);
    }
    char *const nothing[] = {NULL};
    char *const arguments[] = {"hatchery-guest", NULL};
    syscall(SYS_execveat, GUEST_PROGRAM, "", arguments, nothing, AT_EMPTY_PATH);
    _exit(NOT_EXECUTED);
}

void boot(struct guest *guest, const int given[], int count) {
    int ends[2];
    struct family *family = calloc(1, sizeof *family);
    if (family == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        tell(given[0], SESSION_FAILED, family == NULL ? ENOMEM : errno, 0, 0);
        free(family);
        return;
    }
    family->listener.descriptor = -1;
    family->members = 1;
    guest->family = family;
    const pid_t process = fork();
    if (process == 0) {
        setpgid(0, 0);
        become_launcher(given, count, ends[1]);
    }
    const int error = errno;
    close(ends[1]);
    if (process < 0 || watch(&guest->launcher, FROM_LAUNCHER, ends[0], guest) < 0) {
        tell(given[0], SESSION_FAILED, process < 0 ? error : errno, 0, 0);
        close(ends[0]);
    }
    if (process > 0) {
        setpgid(process, process);
        guest->process = family->group = process;
    }
}

void launched(struct guest *guest) {
    char byte;
    struct iovec vector = {&byte, 1};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr header;
    } control;
    struct msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    const ssize_t got = recvmsg(guest->launcher.descriptor, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EAGAIN) {
        return;
    }
    if (got != 1) {
        /* It has ended, or will be: SIGCHLD says so. */
        epoll_ctl(spawner.events, EPOLL_CTL_DEL, guest->launcher.descriptor, NULL);
        end(guest);
        return;
    }
    unwatch(&guest->launcher);
    const struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (first != NULL && first->cmsg_type == SCM_RIGHTS) {
        int listener;
        memcpy(&listener, CMSG_DATA(first), sizeof listener);
        adopt_listener(guest->family, listener);
    }
    tell(guest->session.descriptor, SESSION_MADE, 0, guest->id, guest->process);
}

int start_error(int status) {
    switch (WIFEXITED(status) ? WEXITSTATUS(status) : 0) {
        case NO_DESCRIPTORS: return EMFILE;
        case NOT_EXECUTED: return ENOEXEC;
        default: return EPROTO;
    }
}
