/* hatchery-spawner LAUNCHER, with the descriptors of enum spawner_descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spawner.h"

struct spawner spawner;

static void close_all(const int given[], int count) {
    for (int i = 0; i < count; i++) {
        close(given[i]);
    }
}

/* Whether all descriptors came with it: those of a boot may be without shared memory. */
static int is_complete(const struct spawn_request *request, int count) {
    switch (request->kind) {
        case SPAWN_BOOT: return count >= SPAWN_DESCRIPTORS - 1;
        case SPAWN_CAPTURE: return count == CAPTURE_DESCRIPTORS;
        case SPAWN_CLONE: return count == CLONE_DESCRIPTORS;
        default: return 0;
    }
}

static void serve(const struct spawn_request *request, const int given[], int count) {
    struct guest *guest = new_guest(given[0]);
    if (guest == NULL) {
        tell(given[0], SESSION_FAILED, errno, 0, 0);
        close_all(given, count);
    } else if (request->kind == SPAWN_BOOT) {
        boot(guest, given, count);
        close_all(given + 1, count - 1);
    } else {
        guest->socket = given[1];
        guest->channel = given[2];
        fork_for(guest, request, request->kind == SPAWN_CAPTURE ? given[3] : -1);
        close_all(given + CLONE_DESCRIPTORS, count - CLONE_DESCRIPTORS);
    }
}

static void host_spoke(void) {
    struct spawn_request request;
    struct iovec vector = {&request, sizeof request};
    union {
        char bytes[CMSG_SPACE(sizeof(int) * SPAWN_DESCRIPTORS)];
        struct cmsghdr header;
    } control;
    struct msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    const ssize_t got = recvmsg(SPAWNER_HOST, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got <= 0) {
        for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
            end(guest);
            end_spare(guest);
        }
        exit(0);
    }
    int given[SPAWN_DESCRIPTORS];
    int count = 0;
    const struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (first != NULL && first->cmsg_level == SOL_SOCKET && first->cmsg_type == SCM_RIGHTS) {
        count = (int)((first->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(given, CMSG_DATA(first), (size_t)count * sizeof(int));
    }
    if (got == sizeof request && is_complete(&request, count)) {
        serve(&request, given, count);
    } else {
        /* There was no room for all of them, perhaps not even for the session. */
        if (count > 0) {
            tell(given[0], SESSION_FAILED, EMFILE, 0, 0);
        }
        close_all(given, count);
    }
}

int main(int count, char **words) {
    if (count != 2 || (spawner.launcher_file = open(words[1], O_RDONLY | O_CLOEXEC)) < 0) {
        return 122;
    }
    spawner.processes = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fcntl(SPAWNER_HOST, F_SETFD, FD_CLOEXEC);
    fcntl(SPAWNER_LIFELINE, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    give_up();
    spawner.user = getuid();
    spawner.group = getgid();
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_SETMASK, &children, NULL);
    spawner.events = epoll_create1(EPOLL_CLOEXEC);
    const int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    struct source host, ended;
    if (spawner.events < 0 || signals < 0 || watch(&host, FROM_HOST, SPAWNER_HOST, NULL) < 0 ||
        watch(&ended, FROM_CHILDREN, signals, NULL) < 0) {
        return 121;
    }
    /* It is ready; or the host reads the end of the file. */
    if (send(SPAWNER_HOST, "", 1, MSG_NOSIGNAL) < 0) {
        return 120;
    }
    for (;;) {
        /* One at a time: serving one may free another. */
        struct epoll_event event;
        if (epoll_wait(spawner.events, &event, 1, -1) != 1) {
            continue;
        }
        struct source *source = event.data.ptr;
        switch (source->kind) {
            case FROM_HOST: host_spoke(); break;
            case FROM_CHILDREN: wait_for_children(source->descriptor); break;
            case FROM_SESSION: session_spoke(source->owner); break;
            case FROM_LAUNCHER: launched(source->owner); break;
            case FROM_LISTENER:
                if (event.events & EPOLLIN) {
                    asked(source->owner);
                } else {
                    unwatch(source); /* nobody is left under its filter */
                }
                break;
        }
    }
}
