/* Who is there, and what each of them owns. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "spawner.h"

/* Processes that were ended and are to be waited for, which are no guests. */
struct condemned {
    struct condemned *next;
    pid_t process;
};

struct guest *guests;
static struct condemned *condemned;
static uint64_t last_id;

int watch(struct source *source, enum source_kind kind, int descriptor, void *owner) {
    *source = (struct source){kind, descriptor, owner};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    return epoll_ctl(spawner.events, EPOLL_CTL_ADD, descriptor, &event);
}

void unwatch(struct source *source) {
    if (source->descriptor >= 0) {
        epoll_ctl(spawner.events, EPOLL_CTL_DEL, source->descriptor, NULL);
        close(source->descriptor);
        source->descriptor = -1;
    }
}

struct guest *new_guest(int session) {
    struct guest *guest = calloc(1, sizeof *guest);
    if (guest == NULL) {
        return NULL;
    }
    guest->socket = guest->channel = -1;
    guest->launcher.descriptor = -1;
    guest->id = ++last_id;
    if (watch(&guest->session, FROM_SESSION, session, guest) < 0) {
        free(guest);
        return NULL;
    }
    guest->next = guests;
    guests = guest;
    return guest;
}

struct guest *by_process(pid_t process) {
    for (struct guest *guest = guests; guest != NULL; guest = guest->next) {
        if (guest->process == process) {
            return guest;
        }
    }
    return NULL;
}

struct guest *by_id(uint64_t id) {
    struct guest *guest = guests;
    while (guest != NULL && guest->id != id) {
        guest = guest->next;
    }
    return guest;
}

/* Only the members of the list are children that were not waited for, so the number is theirs. */
void end(const struct guest *guest) {
    if (guest->process > 0) {
        kill(guest->process, SIGKILL);
    }
}

void close_pair(struct guest *guest) {
    if (guest->socket >= 0) {
        close(guest->socket);
    }
    if (guest->channel >= 0) {
        close(guest->channel);
    }
    guest->socket = guest->channel = -1;
}

void leave_family(struct guest *guest) {
    struct family *family = guest->family;
    guest->family = NULL;
    if (family != NULL && --family->members == 0) {
        unwatch(&family->listener);
        free(family);
    }
}

void forget(struct guest *guest) {
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

void condemn(pid_t process) {
    kill(process, SIGKILL);
    struct condemned *one = malloc(sizeof *one);
    if (one != NULL) {
        *one = (struct condemned){condemned, process};
        condemned = one;
    }
}

int was_condemned(pid_t process) {
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
