/*
 * The library OS, as an application in an image sees it.
 *
 * An application defines application_start and application_serve; everything else here is the
 * kernel's. There is one thread and no preemption. Nothing returns an error unless it says so: what
 * cannot be done ends the instance with a panic.
 */
#ifndef HATCHERY_KERNEL_H
#define HATCHERY_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "../abi/hatchery.h"

/* Runs once, before the snapshot. Clocks and randomness work, but their values are the boot's. */
void application_start(void);

/*
 * Runs for each request; MUST call respond exactly once and returns when the instance has nothing
 * more to do. The kernel has reseeded the random generator and paired the clocks before.
 */
void application_serve(void);

/*
 * To be called by application_start at most once, before it looks at its configuration, by an image
 * that says IMAGE_STARTS_UNCONFIGURED: the host may take a snapshot here and go on from it with any
 * function's configuration. Clocks and randomness start anew; what was drawn of them before is the
 * same for all functions.
 */
void start_unconfigured(void);

/* Outside of any function, once: the note that says so to the host. */
#define IMAGE_STARTS_UNCONFIGURED                                                       \
    __asm__(".pushsection .note.hatchery, \"a\", @note\n"                              \
            ".balign 4\n.long 9, 0, 2\n.asciz \"Hatchery\"\n.balign 4\n.popsection\n")

/* The value of a configuration item, NUL-terminated, and its length; NULL if there is none. */
const char *configuration_find(const char *name, size_t *value_bytes);

struct bytes {
    const void *start;
    size_t count;
};

/* The request's head (see REQUEST FRAME) and its length. Valid until request_body_read or
 * host_wait. */
const char *request_head(size_t *head_bytes);

/*
 * Copies up to `capacity` (at least 1) next bytes of the request's body to `buffer`; returns how
 * many, 0 at the end. What the first frame did not hold is pulled from the host.
 */
size_t request_body_read(void *buffer, size_t capacity);

/*
 * What the first frame holds of the body, for an application that does not want to wait for the
 * rest inside request_body_read: valid until host_wait. *has_more says whether there is a rest,
 * which the host call READ with the id 0 gives. To be used in the place of request_body_read, not
 * with it.
 */
struct bytes request_body_first(int *has_more);

/*
 * A response in the making. `head` is as in RESPONSE FRAME. A body that does not fit into the
 * window is pushed in as many chunks as it takes. With `background` the instance goes on
 * afterwards, and returning from application_serve ends it.
 */
struct response {
    uint32_t status;
    uint32_t flags; /* any of HATCHERY_RESPONSE_ERROR, _BACKGROUND and _STREAM */
    const char *head;
    size_t head_bytes; /* at most RESPONSE_HEAD_CAPACITY */
    const void *body;
    size_t body_bytes;
};
#define RESPONSE_HEAD_CAPACITY (HATCHERY_RESPONSE_WINDOW_BYTES / 2)
void respond(const struct response *response);

/*
 * The same by parts, for a body that is made bit by bit: begin (the response's `body` is its first
 * part), any number of pushes, end. respond is the three in one.
 */
void response_begin(const struct response *response);
void response_push(const void *bytes, size_t count);
void response_end(void);

/*
 * Enqueues a host call (see HOST CALLS) and returns as soon as the host has it; the answer is a
 * completion, which host_wait delivers. `call` is the application's choice: not 0, not the id of a
 * call in flight, nor of a fetch of which the body is still read. The payload is the parts, one
 * behind the other, in as many frames as it takes. What was in the response window is overwritten,
 * so no call can be made while a response is being laid there: respond, response_begin and
 * response_push leave nothing there when they return.
 *
 * Calls belong to a request. The kernel keeps nothing of them from one request to the next, and the
 * host completes none that an earlier request made.
 */
void host_call(uint32_t call, enum hatchery_call_kind kind, const struct bytes *parts,
               size_t part_count);

/* What answers a host call; `payload` lies in the request window. */
struct completion {
    uint32_t call;
    int is_failed; /* the payload is an error report: JSON {"name","message","code"} */
    int has_more;  /* the payload goes on in the next completion, which is of the same call and
                      which the next host_wait gets at once, whatever its time */
    struct bytes payload;
};

/*
 * Yields until there is a completion (returns 1), or until the host's monotonic clock, which
 * clock_monotonic follows, shows `until_nanoseconds` (returns 0); HATCHERY_WAIT_FOREVER: however
 * long it takes. With no call in flight and no time to wait for, the host ends the instance. By
 * clock_monotonic it may be up to 100 microseconds early.
 *
 * Overwrites the request window: the payload is valid until the next host_wait, and what the
 * application still needs of head and body of the request it has to take before.
 */
int host_wait(uint64_t until_nanoseconds, struct completion *completion);

/* Appends a log record; text longer than 8 KiB is cut. */
void log_write(enum hatchery_log_level level, const char *text, size_t text_bytes);

/* Ends the instance. */
__attribute__((noreturn)) void panic(enum hatchery_panic_reason reason, const char *text,
                                     size_t text_bytes);

/* Nanoseconds since 1970-01-01 UTC. */
uint64_t clock_wall(void);
/* Nanoseconds of the host's monotonic clock. */
uint64_t clock_monotonic(void);
/* The monotonic clock when this request was handed over. */
uint64_t clock_request_start(void);

/* Fills the buffer from a ChaCha20 generator (RFC 8439) that each request reseeds. */
void random_fill(void *buffer, size_t count);

/* The heap: HATCHERY_HEAP_ADDRESS and this many bytes, zeroed, all of it the application's. */
size_t heap_bytes(void);

#endif
