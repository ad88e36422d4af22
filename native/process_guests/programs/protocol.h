/*
 * What the process driver's parts say to each other: the addon (native/process_guests), the spawner and
 * the launcher, which becomes the guest. Plain C, shared by all three. The first two believe nothing
 * that a guest says; a guest gets nothing but its own memory and its own socket.
 */
#ifndef HATCHERY_PROCESS_PROTOCOL_H
#define HATCHERY_PROCESS_PROTOCOL_H

#include <stdint.h>

/* Where the launcher is linked to: above all that the ABI maps, below what the kernel maps. */
#define LAUNCHER_ADDRESS UINT64_C(0x600000000000)
/* The end of what an image's plan may use. */
#define GUEST_END UINT64_C(0x100000000000)

/* Descriptors that the spawner is started with. */
enum spawner_descriptor {
    SPAWNER_HOST = 3,     /* the host's socket */
    SPAWNER_LIFELINE = 4, /* of a pipe that nobody writes to: its end tells the host that none is left */
};

/* Descriptors of a launcher. Only the first is left when the guest's first instruction runs. */
enum launcher_descriptor {
    GUEST_SOCKET = 3,   /* SOCK_SEQPACKET: commands come in, messages go out */
    GUEST_CHANNEL = 4,  /* the channel's memory; a clone gets its own under the same number */
    GUEST_PLAN = 5,     /* struct guest_plan */
    GUEST_MEMORY = 6,   /* what the image's own pages have at first */
    GUEST_SHARED = 7,   /* read-only pages that all instances have; absent where there are none */
    GUEST_SPAWNER = 8,  /* to the spawner: one byte with the listener of the filter */
    GUEST_PROGRAM = 9,  /* the launcher itself, closed by execveat */
    GUEST_DESCRIPTORS = 10
};

/* Consecutive pages of a guest's that are mapped alike. */
struct guest_mapping {
    uint64_t address;
    uint64_t bytes;
    uint64_t offset;   /* in the file */
    uint32_t protection; /* PROT_* */
    int32_t descriptor;  /* GUEST_MEMORY, GUEST_SHARED or -1: zeroes */
};

enum { GUEST_MAPPINGS = 64 };

struct guest_plan {
    uint64_t entry;
    uint32_t count;
    uint32_t notifies; /* whether clone is to be asked for: the kernel has user notification */
    struct guest_mapping mappings[GUEST_MAPPINGS];
};

/* Host to guest, one byte each. COMMAND_FORK is the spawner's, on the host's behalf. */
#define COMMAND_RUN 'R'
#define COMMAND_FORK 'F'
/* Ask to fork again and again, from now on: it never runs, its forks do. */
#define COMMAND_ZYGOTE 'Z'

/* Guest to host. A hostile guest writes here what it likes. */
struct guest_message {
    uint32_t kind;   /* 1: the doorbell rang; 2: a fault, after which it ends */
    uint32_t number; /* the operation, or the exception's vector */
    uint64_t instruction_pointer;
    uint64_t stack_pointer;
    uint64_t error_code; /* of the exception */
    uint64_t address;    /* of the access, where it is a page fault */
};

enum { MESSAGE_DOORBELL = 1, MESSAGE_FAULT = 2 };

/*
 * Addon to spawner, with descriptors: the session, the guest's end of its socket, its channel; for a
 * boot also plan, memory and shared memory, for a capture the host's end of the parent's socket, by which
 * the spawner tells that to fork. What is sent to a guest before it is there waits in its socket.
 */
struct spawn_request {
    uint32_t kind;
    uint32_t reserved;
    uint64_t parent; /* the id of the guest that is to be forked; of a boot 0 */
};

enum {
    SPAWN_BOOT = 1,
    SPAWN_CAPTURE = 2, /* a zygote: a fork of a guest that stands at its snapshot point, and goes on */
    SPAWN_CLONE = 3,   /* a fork of a zygote */
    SPAWN_DESCRIPTORS = 6,
    CAPTURE_DESCRIPTORS = 4,
    CLONE_DESCRIPTORS = 3
};

/*
 * Spawner to addon, on the session of a guest: first MADE or FAILED, later ENDED. MADE comes with
 * SCM_CREDENTIALS, whose process id is the guest's. A session that is closed ends its guest.
 */
struct session_message {
    uint32_t kind;
    int32_t value; /* FAILED: an errno; ENDED: as waitpid gives it */
    uint64_t id;
    /* ENDED, FORKED and USE, of all its life: page faults without input and output, and the most pages
     * that it had mapped at a time; of USE, those that it has now. */
    uint64_t faults;
    uint64_t pages;
};

/* Addon to spawner, on a session: how much memory the guest has. Answered by USE or UNKNOWN. */
struct session_question {
    int32_t process; /* as the host knows it */
};

enum {
    SESSION_MADE = 1,
    SESSION_FAILED = 2,
    SESSION_ENDED = 3,
    SESSION_FORKED = 4, /* like ENDED: it was killed for a fork that nobody had granted */
    SESSION_USE = 5,
    SESSION_UNKNOWN = 6 /* there is no /proc that tells */
};

#endif
