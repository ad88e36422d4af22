/*
 * The spawner: makes the guests of one host process, and ends them. The host may be locked down so far
 * that it can start nothing any more; the spawner was started before, and gives up all that it does
 * not need itself: user, name spaces, files. It ends, and all guests with it, when the host's socket
 * closes. One thread; nothing that a guest does keeps it waiting.
 *
 * This header has all that its files share, a layer below the other: a file uses only what stands above
 * its own part.
 */
#ifndef HATCHERY_PROCESS_SPAWNER_H
#define HATCHERY_PROCESS_SPAWNER_H

#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/types.h>

#include "../protocol.h"

/* Of the spawner itself; set before the first guest is made. */
struct spawner {
    int events;        /* epoll */
    int launcher_file; /* the program that becomes a guest */
    int processes;     /* the host's /proc, or -1 */
    uid_t user;        /* as the spawner knows itself */
    gid_t group;
};

extern struct spawner spawner;

enum source_kind { FROM_HOST, FROM_CHILDREN, FROM_SESSION, FROM_LAUNCHER, FROM_LISTENER };

/* What epoll tells of. */
struct source {
    enum source_kind kind;
    int descriptor; /* owned, or -1 */
    void *owner;    /* FROM_SESSION, FROM_LAUNCHER: a guest; FROM_LISTENER: a family */
};

/* A launcher and all clones that descend from it: one filter, one listener, one process group. */
struct family {
    struct source listener;
    pid_t group;
    unsigned members;
    /* Of a fork that has been granted and has not shown itself: whom it is for, or who makes it ahead. */
    struct guest *waiting, *ahead;
};

/* Whether a zygote makes a fork before there is somebody whom it is for. */
enum demand {
    NO_DEMAND,  /* no: it was never cloned, or its last such fork failed */
    DEMAND,     /* it was cloned, and so is going to be again: after the next end in its family */
    DEMAND_NOW, /* now: there was one, and no clone since */
};

struct guest {
    struct guest *next;
    uint64_t id;
    pid_t process; /* 0: not yet, or no more */
    struct family *family;
    struct source session;
    struct source launcher; /* of a boot, until it is locked */
    struct guest *parent;   /* of a clone or capture that waits for its fork: who is to make it */
    int socket, channel;    /* of such a one: what it gets; owned, or -1 */
    int zygote;             /* it may ask to fork before it is told to */
    uint64_t asking;        /* the notification by which it asks, which is not answered yet; or 0 */
    enum demand demand;     /* of a zygote */
    pid_t spare;            /* a fork that it has made ahead, which waits for whom it is for; or 0 */
    uint64_t spare_asking;  /* the notification by which that one asks for its channel */
    int forked;             /* it tried to fork by itself */
    int released;           /* the host only waits to be told of its end */
};

/* guests.c: who is there. */

/* All, the newest first. */
extern struct guest *guests;

/* Has epoll tell of a descriptor, which the source owns from then on; -1 and errno where it cannot. */
int watch(struct source *source, enum source_kind kind, int descriptor, void *owner);
/* Closes what it watches, if anything. */
void unwatch(struct source *source);
/* Owns the session; NULL and errno where it cannot be made, and then it does not. */
struct guest *new_guest(int session);
struct guest *by_process(pid_t process);
struct guest *by_id(uint64_t id);
/* Kills its process, if it has one; what comes of it is for children.c. */
void end(const struct guest *guest);
/* Closes what a guest that waits for its fork was to get. */
void close_pair(struct guest *guest);
void leave_family(struct guest *guest);
/* Frees the guest and all that it owns. */
void forget(struct guest *guest);
/* Ends a process that is no guest, or not yet; so that its end is not taken for another one's. */
void condemn(pid_t process);
/* Whether it was condemned; of each process it says so once. */
int was_condemned(pid_t process);

/* sessions.c: what the host is told, and asks. */

/* A process id other than 0 goes as credentials: the kernel turns it into what the host knows it by. */
void tell_all(int session, struct session_message message, pid_t process);
void tell(int session, uint32_t kind, int32_t value, uint64_t id, pid_t process);
/* What came on a session: a question, or its end. */
void session_spoke(struct guest *guest);

/* listener.c: calls of guests that wait for an answer. */

/* The kernel may know more fields than this program does. */
union question {
    struct seccomp_notif notification;
    char room[1024];
};

/* Watches a listener that was received, which is the family's from then on. */
void adopt_listener(struct family *family, int listener);
/* False where who asked is gone. */
int next_question(int listener, union question *question);
/* The call may go on, or fails. False where who asked is gone. */
int answer(int listener, uint64_t notification, int goes_on);
/* Puts a copy of a descriptor in place of one of who asks; negative where it cannot. */
int add_descriptor(int listener, uint64_t notification, int source, unsigned number);

/* forks.c: who may fork, and whom the fork is for. */

/*
 * Makes a new guest, which has its socket and channel, a clone or a capture, or tells its host what
 * failed. `parent_socket`, the host's end of the parent's socket, is for a capture.
 */
void fork_for(struct guest *guest, const struct spawn_request *request, int parent_socket);
/* A guest of the family asks to make a call. */
void asked(struct family *family);
/* The forks of a guest that has ended: those that wait for it, and the one that it made ahead. */
void abandon_forks(struct guest *guest);
/* Nobody is going to need the fork that it has made ahead, or makes. */
void end_spare(struct guest *guest);
/* A process that was no guest has ended, and is not waited for yet. */
void ended_unknown(pid_t process);
/* A member of the family has ended: a moment to fork ahead. */
void member_ended(struct family *family);

/* launchers.c: guests that start as launchers. */

/* Starts a new guest with copies of what came with the request, or tells its host what failed. */
void boot(struct guest *guest, const int given[], int count);
/* A launcher is locked, or has failed. */
void launched(struct guest *guest);
/* Why a launcher ended before it was locked, as an errno. */
int start_error(int status);

/* children.c: processes that have ended. */

/* After SIGCHLD, by signalfd. */
void wait_for_children(int descriptor);

/* isolation.c: what the spawner gives up. */

/*
 * User, name spaces, files. Returns in the process that goes on, with all descriptors; ends the program
 * where it cannot be made safe. What the kernel refuses of it, as it may without root, is missing; the
 * filter of each guest is not.
 */
void give_up(void);

#endif
