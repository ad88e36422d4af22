/* What the host is told of a guest, and asks about it: each guest has a socket of its own for that. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spawner.h"

void tell_all(int session, struct session_message message, pid_t process) {
    struct iovec vector = {&message, sizeof message};
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr header;
    } control = {{0}};
    struct msghdr header = {.msg_iov = &vector, .msg_iovlen = 1};
    if (process > 0) {
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
        struct cmsghdr *first = CMSG_FIRSTHDR(&header);
        first->cmsg_level = SOL_SOCKET;
        first->cmsg_type = SCM_CREDENTIALS;
        first->cmsg_len = CMSG_LEN(sizeof(struct ucred));
        const struct ucred credentials = {process, spawner.user, spawner.group};
        memcpy(CMSG_DATA(first), &credentials, sizeof credentials);
    }
    /* Who does not read it is going to be told by the end of the session. */
    (void)!sendmsg(session, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void tell(int session, uint32_t kind, int32_t value, uint64_t id, pid_t process) {
    tell_all(session, (struct session_message){.kind = kind, .value = value, .id = id}, process);
}

/* Of /proc/PID/stat, what follows the name: its 8th and 22nd number are wanted (proc(5): 10 and 24). */
static int read_use(pid_t process, struct session_message *message) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "%d/stat", process);
    const int file = openat(spawner.processes, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    const ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    text[got < 0 ? 0 : got] = 0;
    const char *after = strrchr(text, ')');
    return after != NULL && sscanf(after,
                                   ") %*c %*d %*d %*d %*d %*d %*u %lu %*u %*u %*u %*u %*u %*d %*d %*d"
                                   " %*d %*d %*d %*u %*u %lu",
                                   &message->faults, &message->pages) == 2
               ? 0
               : -1;
}

/*
 * The host has no more use for it. A fork that was granted and has not shown itself may be a process
 * that nobody knows: its whole family goes, which is to blame.
 */
static void session_closed(struct guest *guest) {
    /* The host may have closed one direction only, to be told. */
    epoll_ctl(spawner.events, EPOLL_CTL_DEL, guest->session.descriptor, NULL);
    guest->released = 1;
    if (guest->process > 0) {
        end(guest); /* and is forgotten when it is waited for */
        return;
    }
    struct family *family = guest->family;
    if (family != NULL && family->waiting == guest) {
        family->waiting = NULL;
        kill(-family->group, SIGKILL);
    }
    forget(guest);
}

void session_spoke(struct guest *guest) {
    struct session_question question;
    const int session = guest->session.descriptor;
    if (recv(session, &question, sizeof question, MSG_DONTWAIT) != sizeof question) {
        session_closed(guest);
        return;
    }
    struct session_message message = {.kind = SESSION_USE, .id = guest->id};
    if (guest->process <= 0 || read_use(question.process, &message) < 0) {
        message.kind = SESSION_UNKNOWN;
    }
    tell_all(session, message, 0);
}
