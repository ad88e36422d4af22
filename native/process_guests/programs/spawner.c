/*
 * The spawner: makes the guests of one host process, and ends them. The host may be locked down so far
 * that it can start nothing any more; the spawner was started before, and gives up all that it does
 * not need itself: user, name spaces, files. It ends, and all guests with it, when the host's socket
 * closes. One thread; nothing that a guest does keeps it waiting.
 *
 *   hatchery-spawner LAUNCHER    with the host's socket as descriptor 3, and as 4 the end of a pipe
 *                                that is never written to: the host learns by it that none is left
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../images/abi/hatchery.h"
#include "protocol.h"

/* Newer than Debian's headers (linux/seccomp.h). */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS _IOW('!', 4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1ul << 0)
#endif

enum { HOST = 3, LIFELINE = 4, NOBODY = 65534, NO_DESCRIPTORS = 125 };

enum source_kind { FROM_HOST, FROM_CHILDREN, FROM_SESSION, FROM_LAUNCHER, FROM_LISTENER };

/* What epoll tells of. */
struct source {
    enum source_kind kind;
    int descriptor;
    void *owner;
};

/* A launcher and all clones that descend from it: one filter, one listener, one process group. */
struct family {
    struct source listener;
    pid_t group;
    unsigned members;
    /* Of a fork that has been granted and has not shown itself: whom it is for, or who makes it ahead. */
    struct guest *waiting, *ahead;
};

struct guest {
    struct guest *next;
    uint64_t id;
    pid_t process; /* 0: not yet, or no more */
    struct family *family;
    struct source session;
    struct source launcher; /* of a boot, until it is locked */
    struct guest *parent;   /* of a clone or capture that waits for its fork: who is to make it */
    int socket, channel;    /* of such a one: what it gets */
    int zygote;             /* it may ask to fork before it is told to */
    uint64_t asking;        /* the notification by which it asks, which is not answered yet; or 0 */
    int in_demand;          /* of a zygote: it was cloned, and so is going to be cloned again */
    int may_make_ahead;     /* and nobody has asked for one since another one ended */
    pid_t spare;            /* a fork that it has made ahead, which waits for whom it is for; or 0 */
    uint64_t spare_asking;  /* the notification by which that one asks for its channel */
    int forked;             /* it tried to fork by itself */
    int released;           /* the host only waits to be told of its end */
};

/* Processes that were ended and are to be waited for, which are no guests. */
struct condemned {
    struct condemned *next;
    pid_t process;
};

static struct guest *guests;
static struct condemned *condemned;
/* Stands for a zygote that has gone while it made a fork ahead. */
static struct guest nobody;
static uint64_t last_id;
static int events, launcher_file;
static int processes; /* the host's /proc, or -1 */
static uid_t own_user;
static gid_t own_group;

static int watch(struct source *source, enum source_kind kind, int descriptor, void *owner) {
    *source = (struct source){kind, descriptor, owner};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    return epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event);
}

static void unwatch(struct source *source) {
    if (source->descriptor >= 0) {
        epoll_ctl(events, EPOLL_CTL_DEL, source->descriptor, NULL);
        close(source->descriptor);
        source->descriptor = -1;
    }
}

/* The process id goes as credentials, which the kernel turns into what the host knows it by. */
static void tell_all(int session, struct session_message message, pid_t process) {
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
        const struct ucred credentials = {process, own_user, own_group};
        memcpy(CMSG_DATA(first), &credentials, sizeof credentials);
    }
    /* Who does not read it is going to be told by the end of the session. */
    (void)!sendmsg(session, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void tell(int session, uint32_t kind, int32_t value, uint64_t id, pid_t process) {
    tell_all(session, (struct session_message){.kind = kind, .value = value, .id = id}, process);
}

static void close_pair(struct guest *guest) {
    if (guest->socket >= 0) {
        close(guest->socket);
    }
    if (guest->channel >= 0) {
        close(guest->channel);
    }
    guest->socket = guest->channel = -1;
}

static void leave_family(struct guest *guest) {
    struct family *family = guest->family;
    guest->family = NULL;
    if (family != NULL && --family->members == 0) {
        unwatch(&family->listener);
        free(family);
    }
}

static void forget(struct guest *guest) {
    for (struct guest **place = &guests; *place != NULL; place = &(*place)->next) {
        if (*place == guest) {
            *place = guest->next;
            break;
        }
    }
    close_pair(guest);
    unwatch(&guest->session);
    unwatch(&guest->launcher);
    leave_family(guest);
    free(guest);
}

static struct guest *by_process(pid_t process) {
    for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
        if (guest->process == process) {
            return guest;
        }
    }
    return NULL;
}

/* Only the members of the list are children that were not waited for, so the number is theirs. */
static void end(struct guest *guest) {
    if (guest->process > 0) {
        kill(guest->process, SIGKILL);
    }
}

/*
 * The host has no more use for it. A fork that was granted and has not shown itself may be a process
 * that nobody knows: its whole family goes, which is to blame.
 */
static void session_closed(struct guest *guest) {
    /* The host may have closed one direction only, to be told. */
    epoll_ctl(events, EPOLL_CTL_DEL, guest->session.descriptor, NULL);
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

/* Of /proc/PID/stat, what follows the name: its 8th and 22nd number are wanted (proc(5): 10 and 24). */
static int read_use(pid_t process, struct session_message *message) {
    char path[32], text[1024];
    snprintf(path, sizeof path, "%d/stat", process);
    const int file = openat(processes, path, O_RDONLY | O_CLOEXEC);
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

/* The host asks, or has closed its end. */
static void session_spoke(struct guest *guest) {
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

static void grant_next(struct family *family);
static void make_ahead(struct family *family);

static void cannot_fork(struct guest *child, int error) {
    tell(child->session.descriptor, SESSION_FAILED, error, 0, 0);
    child->parent = NULL;
    close_pair(child);
}

/* Ends a process that is no guest, or not yet; so that its end is not taken for another one's. */
static void condemn(pid_t process) {
    kill(process, SIGKILL);
    struct condemned *one = malloc(sizeof *one);
    if (one != NULL) {
        *one = (struct condemned){condemned, process};
        condemned = one;
    }
}

static int was_condemned(pid_t process) {
    for (struct condemned **place = &condemned; *place != NULL; place = &(*place)->next) {
        struct condemned *one = *place;
        if (one->process == process) {
            *place = one->next;
            free(one);
            return 1;
        }
    }
    return 0;
}

/* A spare, or a fork that ended before it showed itself; its group says whose it was. */
static void ended_unknown(pid_t process) {
    const pid_t group = getpgid(process);
    struct family *family = NULL;
    for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
        if (guest->spare == process) {
            guest->spare = 0;
            return;
        }
        if (guest->family != NULL && guest->family->group == group) {
            family = guest->family;
        }
    }
    if (was_condemned(process) || family == NULL) {
        return;
    }
    if (family->waiting != NULL) {
        struct guest *child = family->waiting;
        family->waiting = NULL;
        cannot_fork(child, ECHILD);
    }
    family->ahead = NULL;
    grant_next(family);
}

/* Why a launcher ended before it was locked. Its own steps (launcher.c) have other numbers. */
static int start_error(int status) {
    switch (WIFEXITED(status) ? WEXITSTATUS(status) : 0) {
        case NO_DESCRIPTORS: return EMFILE;
        case 127: return ENOEXEC;
        default: return EPROTO;
    }
}

/* Nobody is going to need it. */
static void end_spare(struct guest *guest) {
    if (guest->spare > 0) {
        condemn(guest->spare);
        guest->spare = 0;
    }
    if (guest->family != NULL && guest->family->ahead == guest) {
        guest->family->ahead = &nobody; /* its fork ends when it shows itself */
    }
}

static void ended(struct guest *guest, int status, const struct rusage *used) {
    guest->process = 0;
    guest->asking = 0;
    end_spare(guest);
    for (struct guest *child = guests; child != NULL; child = child->next) {
        if (child->parent == guest) {
            cannot_fork(child, ESRCH);
        }
    }
    const int session = guest->session.descriptor;
    if (guest->launcher.descriptor >= 0) {
        tell(session, SESSION_FAILED, start_error(status), 0, 0);
        unwatch(&guest->launcher);
    } else {
        const struct session_message message = {
            .kind = guest->forked ? SESSION_FORKED : SESSION_ENDED,
            .value = status,
            .id = guest->id,
            .faults = (uint64_t)used->ru_minflt,
            .pages = (uint64_t)used->ru_maxrss * 1024 / HATCHERY_PAGE_BYTES,
        };
        tell_all(session, message, 0);
    }
    if (guest->family != NULL) {
        for (struct guest *other = guests; other != NULL; other = other->next) {
            other->may_make_ahead |= other->family == guest->family;
        }
        make_ahead(guest->family);
    }
    if (guest->released) {
        forget(guest);
    } else {
        leave_family(guest);
    }
}

static void wait_for_children(int descriptor) {
    struct signalfd_siginfo ignored[16];
    (void)!read(descriptor, ignored, sizeof ignored);
    for (;;) {
        /* Looked at first: its group is known for as long as it is not waited for. */
        siginfo_t one = {0};
        if (waitid(P_ALL, 0, &one, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 || one.si_pid == 0) {
            return;
        }
        struct guest *guest = by_process(one.si_pid);
        if (guest == NULL) {
            ended_unknown(one.si_pid);
        }
        int status = 0;
        struct rusage used = {0};
        if (wait4(one.si_pid, &status, __WALL, &used) == one.si_pid && guest != NULL) {
            ended(guest, status, &used);
        }
    }
}

static void limit(int resource, rlim_t most) {
    const struct rlimit value = {most, most};
    if (setrlimit(resource, &value) < 0) {
        _exit(126);
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
    moved[used++] = launcher_file;
    for (int i = 0; i < used; i++) {
        moved[i] = fcntl(moved[i], F_DUPFD, GUEST_DESCRIPTORS);
        if (moved[i] < 0) {
            _exit(NO_DESCRIPTORS);
        }
    }
    syscall(SYS_close_range, 0u, (unsigned)GUEST_DESCRIPTORS - 1, 0u);
    for (int i = 0; i < used; i++) {
        if (dup2(moved[i], wanted[i]) < 0) {
            _exit(126);
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
        _exit(126);
    }
    char *const nothing[] = {NULL};
    char *const arguments[] = {"hatchery-guest", NULL};
    syscall(SYS_execveat, GUEST_PROGRAM, "", arguments, nothing, AT_EMPTY_PATH);
    _exit(127);
}

static struct guest *new_guest(int session) {
    struct guest *guest = calloc(1, sizeof *guest);
    if (guest == NULL) {
        tell(session, SESSION_FAILED, ENOMEM, 0, 0);
        close(session);
        return NULL;
    }
    guest->socket = guest->channel = -1;
    guest->launcher.descriptor = -1;
    guest->id = ++last_id;
    if (watch(&guest->session, FROM_SESSION, session, guest) < 0) {
        tell(session, SESSION_FAILED, errno, 0, 0);
        close(session);
        free(guest);
        return NULL;
    }
    guest->next = guests;
    guests = guest;
    return guest;
}

static void boot(const int given[], int count) {
    struct guest *guest = new_guest(given[0]);
    int ends[2];
    if (guest == NULL) {
        return;
    }
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

static void launched(struct guest *guest) {
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
        epoll_ctl(events, EPOLL_CTL_DEL, guest->launcher.descriptor, NULL);
        end(guest);
        return;
    }
    unwatch(&guest->launcher);
    const struct cmsghdr *first = CMSG_FIRSTHDR(&header);
    if (first != NULL && first->cmsg_type == SCM_RIGHTS) {
        int listener;
        memcpy(&listener, CMSG_DATA(first), sizeof listener);
        /* Whoever answers the other waits for it next: better on the same processor. Kernels from 6.6 on. */
        (void)!ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
        if (watch(&guest->family->listener, FROM_LISTENER, listener, guest->family) < 0) {
            close(listener);
        }
    }
    tell(guest->session.descriptor, SESSION_MADE, 0, guest->id, guest->process);
}

static void close_all(const int given[], int count) {
    for (int i = 0; i < count; i++) {
        close(given[i]);
    }
}

/* Answers a question of a guest's: the call may go on, or fails. False where who asked is gone. */
static int answer(int listener, uint64_t notification, int goes_on) {
    union {
        struct seccomp_notif_resp response;
        char room[1024]; /* the kernel may know more fields than this program does */
    } words;
    memset(&words, 0, sizeof words);
    words.response.id = notification;
    if (goes_on) {
        words.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    } else {
        words.response.error = -EPERM;
    }
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &words) == 0;
}

/* Who waits the longest for the fork of a guest that asks for it: the list has the newest first. */
static struct guest *next_in(const struct family *family) {
    struct guest *next = NULL;
    for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
        if (guest->family == family && guest->parent != NULL && guest->parent->asking != 0) {
            next = guest;
        }
    }
    return next;
}

/* One fork at a time in a family: the new process is known by being the one that is not known. */
static void grant_next(struct family *family) {
    struct guest *child;
    while (family->waiting == NULL && family->ahead == NULL && (child = next_in(family)) != NULL) {
        struct guest *parent = child->parent;
        const uint64_t notification = parent->asking;
        parent->asking = 0;
        if (answer(family->listener.descriptor, notification, 1)) {
            child->parent = NULL;
            family->waiting = child;
        } else {
            cannot_fork(child, ESRCH);
        }
    }
}

/*
 * Zygotes that are in demand make a fork ahead, as half of a clone's time is that. When another one has
 * ended, for beside a guest that runs it would take the processor, and memory's locks, from that.
 */
static void make_ahead(struct family *family) {
    for (struct guest *guest = guests;
         guest != NULL && family->waiting == NULL && family->ahead == NULL; guest = guest->next) {
        if (guest->family == family && guest->in_demand && guest->may_make_ahead &&
            guest->spare == 0 && guest->asking != 0) {
            const uint64_t notification = guest->asking;
            guest->asking = guest->may_make_ahead = 0;
            if (answer(family->listener.descriptor, notification, 1)) {
                family->ahead = guest;
            }
        }
    }
}

static int add_descriptor(int listener, uint64_t notification, int source, unsigned number) {
    const struct seccomp_notif_addfd add = {
        .id = notification,
        .flags = SECCOMP_ADDFD_FLAG_SETFD,
        .srcfd = (unsigned)source,
        .newfd = number,
    };
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
}

/* A fork that asks for its channel gets it, and is known from then on; false where it cannot. */
static int hand_over(struct guest *child, pid_t process, uint64_t notification) {
    const int listener = child->family->listener.descriptor;
    if (add_descriptor(listener, notification, child->socket, GUEST_SOCKET) < 0 ||
        add_descriptor(listener, notification, child->channel, GUEST_CHANNEL) < 0) {
        return 0;
    }
    child->parent = NULL;
    child->process = process;
    /* First, so that the host knows of it when it hears of it. */
    tell(child->session.descriptor, SESSION_MADE, 0, child->id, process);
    answer(listener, notification, 1);
    close_pair(child);
    return 1;
}

/* The same with one that was made ahead, if there is one; it ends where it cannot be had. */
static void take_spare(struct guest *parent, struct guest *child) {
    const pid_t process = parent->spare;
    parent->spare = 0;
    if (process != 0 && !hand_over(child, process, parent->spare_asking)) {
        condemn(process);
    }
}

static void fork_for(const struct spawn_request *request, const int given[]) {
    const int captures = request->kind == SPAWN_CAPTURE;
    struct guest *parent = guests;
    while (parent != NULL && parent->id != request->parent) {
        parent = parent->next;
    }
    struct guest *guest = new_guest(given[0]);
    if (guest == NULL) {
        close_all(given + 1, (captures ? CAPTURE_DESCRIPTORS : CLONE_DESCRIPTORS) - 1);
        return;
    }
    guest->socket = given[1];
    guest->channel = given[2];
    guest->zygote = captures;
    const char command = COMMAND_FORK;
    if (parent == NULL || parent->process == 0) {
        cannot_fork(guest, ESRCH);
    } else if (parent->zygote == captures) {
        cannot_fork(guest, EINVAL);
    } else if (parent->family->listener.descriptor < 0) {
        cannot_fork(guest, ENOTSUP);
    } else if (captures && send(given[3], &command, sizeof command, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        cannot_fork(guest, errno);
    } else {
        guest->parent = parent;
        guest->family = parent->family;
        guest->family->members++;
        parent->in_demand = parent->zygote;
        parent->may_make_ahead = 0;
        take_spare(parent, guest);
        grant_next(guest->family);
    }
    if (captures) {
        close(given[3]);
    }
}

/* Who waits the longest for a fork of this one. */
static struct guest *oldest_of(const struct guest *parent) {
    struct guest *oldest = NULL;
    for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
        if (guest->parent == parent) {
            oldest = guest;
        }
    }
    return oldest;
}

/*
 * A fork that the host wants or, of a zygote, is going to want; it is granted when it does. Registers
 * alone say what is asked for, so that nothing can change it.
 */
static int may_ask_to_fork(struct family *family, const struct seccomp_notif *asked) {
    struct guest *parent = by_process((pid_t)asked->pid);
    const __u64 *arguments = asked->data.args;
    if (asked->data.nr != SYS_clone || parent == NULL || !(parent->zygote || oldest_of(parent) != NULL) ||
        arguments[0] != (CLONE_PARENT | SIGCHLD) || arguments[1] != 0) {
        return 0;
    }
    /* Without flags for it, the kernel does not look at the third: its last fork's error, as it says. */
    if ((int64_t)arguments[2] < 0 && family->waiting != NULL) {
        cannot_fork(family->waiting, EAGAIN);
        family->waiting = NULL;
    }
    if ((int64_t)arguments[2] < 0 && family->ahead == parent) {
        family->ahead = NULL;
        parent->in_demand = 0; /* not again before one is wanted */
    }
    parent->asking = asked->id;
    grant_next(family);
    make_ahead(family);
    return 1;
}

/* What the child does first: it maps its own channel, and is known from then on. */
static int may_map(struct family *family, const struct seccomp_notif *asked) {
    struct guest *child = family->waiting, *ahead = family->ahead;
    const __u64 *arguments = asked->data.args;
    if (asked->data.nr != SYS_mmap || (child == NULL && ahead == NULL) ||
        by_process((pid_t)asked->pid) != NULL ||
        arguments[0] != HATCHERY_CHANNEL_ADDRESS || arguments[1] != HATCHERY_CHANNEL_BYTES ||
        arguments[2] != (PROT_READ | PROT_WRITE) || arguments[3] != (MAP_SHARED | MAP_FIXED) ||
        arguments[4] != GUEST_CHANNEL || arguments[5] != 0) {
        return 0;
    }
    if (child != NULL) {
        family->waiting = NULL;
        if (!hand_over(child, (pid_t)asked->pid, asked->id)) {
            cannot_fork(child, ECHILD);
            return 0;
        }
    } else {
        family->ahead = NULL;
        if (ahead == &nobody) {
            return 0;
        }
        ahead->spare = (pid_t)asked->pid;
        ahead->spare_asking = asked->id;
        child = oldest_of(ahead);
        if (child != NULL) {
            take_spare(ahead, child);
        }
    }
    grant_next(family);
    return 1;
}

static void asked(struct family *family) {
    const int listener = family->listener.descriptor;
    /* The kernel may know more fields than this program does. */
    union {
        struct seccomp_notif notification;
        char room[1024];
    } question;
    memset(&question, 0, sizeof question);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0) {
        return; /* who asked is gone */
    }
    const struct seccomp_notif *notification = &question.notification;
    if (may_ask_to_fork(family, notification) || may_map(family, notification)) {
        return;
    }
    struct guest *guest = by_process((pid_t)notification->pid);
    if (guest != NULL) {
        guest->forked = 1;
        end(guest);
    } else {
        condemn((pid_t)notification->pid);
    }
    answer(listener, notification->id, 0);
    grant_next(family);
}

static void serve_host(void) {
    struct spawn_request request;
    struct iovec vector = {&request, sizeof request};
    union {
        char bytes[CMSG_SPACE(sizeof(int) * SPAWN_DESCRIPTORS)];
        struct cmsghdr header;
    } control;
    struct msghdr header = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    const ssize_t got = recvmsg(HOST, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
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
    if (got == sizeof request && request.kind == SPAWN_BOOT && count >= 5) {
        boot(given, count);
        close_all(given + 1, count - 1);
    } else if (got == sizeof request && ((request.kind == SPAWN_CAPTURE && count == CAPTURE_DESCRIPTORS) ||
                                         (request.kind == SPAWN_CLONE && count == CLONE_DESCRIPTORS))) {
        fork_for(&request, given);
    } else {
        /* There was no room for all of them, perhaps not even for the session. */
        if (count > 0) {
            tell(given[0], SESSION_FAILED, EMFILE, 0, 0);
        }
        close_all(given, count);
    }
}

static int write_file(const char *path, const char *text) {
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    const ssize_t wrote = write(file, text, strlen(text));
    close(file);
    return wrote < 0 ? -1 : 0;
}

/* An empty root that cannot be written, in place of the host's file system. */
static int leave_files(void) {
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2") < 0 ||
        chdir("/tmp") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
        chdir("/") < 0) {
        return -1;
    }
    return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* What of it the kernel refuses, as it may without root, is missing; the filter of each guest is not. */
static void give_up(void) {
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) < 0)) {
        exit(125);
    }
    const unsigned user = getuid(), group = getgid();
    prctl(PR_SET_DUMPABLE, 1);
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
                CLONE_NEWUTS) == 0) {
        char map[32];
        snprintf(map, sizeof map, "0 %u 1", user);
        if (write_file("/proc/self/setgroups", "deny") < 0 || write_file("/proc/self/uid_map", map) < 0) {
            exit(124);
        }
        snprintf(map, sizeof map, "0 %u 1", group);
        if (write_file("/proc/self/gid_map", map) < 0) {
            exit(124);
        }
        (void)!leave_files();
        const pid_t first = fork();
        if (first < 0) {
            exit(123);
        }
        if (first > 0) {
            /* Only the first process of the name space goes on, and all others end with it. */
            close(HOST);
            close(LIFELINE);
            close(launcher_file);
            close(processes);
            int status;
            while (waitpid(first, &status, 0) < 0 && errno == EINTR) {
            }
            exit(0);
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int main(int count, char **words) {
    if (count != 2 || (launcher_file = open(words[1], O_RDONLY | O_CLOEXEC)) < 0) {
        return 122;
    }
    processes = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fcntl(HOST, F_SETFD, FD_CLOEXEC);
    fcntl(LIFELINE, F_SETFD, FD_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    give_up();
    own_user = getuid();
    own_group = getgid();
    sigset_t children;
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    sigprocmask(SIG_SETMASK, &children, NULL);
    events = epoll_create1(EPOLL_CLOEXEC);
    const int signals = signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK);
    struct source host, ended;
    if (events < 0 || signals < 0 || watch(&host, FROM_HOST, HOST, NULL) < 0 ||
        watch(&ended, FROM_CHILDREN, signals, NULL) < 0) {
        return 121;
    }
    /* It is ready; or the host reads the end of the file. */
    if (send(HOST, "", 1, MSG_NOSIGNAL) < 0) {
        return 120;
    }
    for (;;) {
        /* One at a time: serving one may free another. */
        struct epoll_event event;
        if (epoll_wait(events, &event, 1, -1) != 1) {
            continue;
        }
        struct source *source = event.data.ptr;
        switch (source->kind) {
            case FROM_HOST: serve_host(); break;
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
