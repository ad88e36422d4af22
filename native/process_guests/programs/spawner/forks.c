/*
 * Who may fork, and whom the fork is for. A guest asks by its filter, and the answer waits until the host
 * wants a fork of it. The new process is a guest when it asks for its channel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../../../images/abi/hatchery.h"
#include "spawner.h"

/* Stands for a zygote that has gone while it made a fork ahead. */
static struct guest nobody;

static void cannot_fork(struct guest *child, int error) {
    tell(child->session.descriptor, SESSION_FAILED, error, 0, 0);
    child->parent = NULL;
    close_pair(child);
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
        if (guest->family == family && guest->demand == DEMAND_NOW && guest->spare == 0 &&
            guest->asking != 0) {
            const uint64_t notification = guest->asking;
            guest->asking = 0;
            guest->demand = DEMAND;
            if (answer(family->listener.descriptor, notification, 1)) {
                family->ahead = guest;
            }
        }
    }
}

void end_spare(struct guest *guest) {
    if (guest->spare > 0) {
        condemn(guest->spare);
        guest->spare = 0;
    }
    if (guest->family != NULL && guest->family->ahead == guest) {
        guest->family->ahead = &nobody; /* its fork ends when it shows itself */
    }
}

void abandon_forks(struct guest *guest) {
    guest->asking = 0;
    end_spare(guest);
    for (struct guest *child = guests; child != NULL; child = child->next) {
        if (child->parent == guest) {
            cannot_fork(child, ESRCH);
        }
    }
}

void member_ended(struct family *family) {
    for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
        if (guest->family == family && guest->demand == DEMAND) {
            guest->demand = DEMAND_NOW;
        }
    }
    make_ahead(family);
}

/* A spare, or a fork that ended before it showed itself; its group says whose it was. */
void ended_unknown(pid_t process) {
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

void fork_for(struct guest *guest, const struct spawn_request *request, int parent_socket) {
    const int captures = request->kind == SPAWN_CAPTURE;
    struct guest *parent = by_id(request->parent);
    guest->zygote = captures;
    const char command = COMMAND_FORK;
    if (parent == NULL || parent->process == 0) {
        cannot_fork(guest, ESRCH);
    } else if (parent->zygote == captures) {
        cannot_fork(guest, EINVAL);
    } else if (parent->family->listener.descriptor < 0) {
        cannot_fork(guest, ENOTSUP);
    } else if (captures &&
               send(parent_socket, &command, sizeof command, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        cannot_fork(guest, errno);
    } else {
        guest->parent = parent;
        guest->family = parent->family;
        guest->family->members++;
        parent->demand = parent->zygote ? DEMAND : NO_DEMAND;
        take_spare(parent, guest);
        grant_next(guest->family);
    }
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
        parent->demand = NO_DEMAND;
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

void asked(struct family *family) {
    const int listener = family->listener.descriptor;
    union question question;
    if (!next_question(listener, &question)) {
        return;
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
