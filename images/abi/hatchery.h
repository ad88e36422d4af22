/*
 * Hatchery guest ABI, version 1.
 *
 * The one contract between a guest (image) and the host (a driver's addon). It is written in plain
 * C so that the freestanding guest and the C++ addons include the same file. Everything that the
 * host reads from here was written by a hostile program: the host copies each field once, checks
 * it, and uses the copy.
 *
 * The key words MUST, MUST NOT and MAY are to be read as in RFC 2119.
 *
 * VERSION RULE. HATCHERY_ABI_VERSION grows by one with every change that an existing image or an
 * existing host could notice: a moved field, a changed meaning, a removed operation. A new
 * operation or flag that only images which use it bring into play, or a new configuration item that
 * a guest may ignore, does not change it. A host MUST refuse an image whose note names another
 * version.
 *
 * BYTE ORDER AND WIDTH. x86-64, little endian; all addresses are guest virtual addresses.
 *
 * PRIVILEGE. A guest runs in ring 3, with one vCPU, from its first instruction to its last. It
 * handles no interrupt: any fault ends the instance. Page zero, the page tables, the GDT and the TSS
 * are out of its reach.
 */
#ifndef HATCHERY_ABI_H
#define HATCHERY_ABI_H

#include <stdint.h>

#define HATCHERY_ABI_VERSION 1u
#define HATCHERY_MAGIC UINT64_C(0x3159524843544148) /* "HATCHRY1" */
#define HATCHERY_PAGE_BYTES 4096u

/*
 * IMAGE. A static ELF64 executable for x86-64, not position-independent. Every PT_LOAD segment MUST
 * lie in [HATCHERY_IMAGE_ADDRESS, HATCHERY_IMAGE_END), start on a page of its own (p_vaddr modulo
 * 4096 may be non-zero, but no page may belong to two segments) and MUST NOT be both writable and
 * executable. The host maps each page with exactly the segment's permissions; where no other segment
 * is in the same 2 MiB, it MAY map all of them, zeroes around a segment that is not writable. The
 * image carries
 * one ELF note, name "Hatchery", type HATCHERY_NOTE_ABI, whose description is the ABI version as a
 * uint32_t. A second note, type HATCHERY_NOTE_UNCONFIGURED with no description, says that it makes the
 * hypercall UNCONFIGURED. It MUST NOT contain a SYSCALL instruction.
 *
 * Segments at HATCHERY_PLATFORM_ADDRESS and above are not the image's: they are a platform's own way
 * to start the file without a host of Hatchery's, as Xen does (images/kernel/xen), and a host that
 * loads the image itself MUST ignore them, and p_paddr, and notes with other names.
 */
#define HATCHERY_PLATFORM_ADDRESS UINT64_C(0xffffffff80000000)
#define HATCHERY_NOTE_NAME "Hatchery"
#define HATCHERY_NOTE_ABI 1u
#define HATCHERY_NOTE_UNCONFIGURED 2u

/*
 * ADDRESS SPACE, from low to high. What is not listed is not mapped.
 *
 *   HATCHERY_RESUME_ADDRESS   r-x, r--  the host's resume stub and its data. The host owns it.
 *   HATCHERY_DOORBELL_ADDRESS rw-       a page without memory behind it: see HYPERCALLS.
 *   HATCHERY_BOOT_ADDRESS     r--       the boot page, then the configuration items.
 *   HATCHERY_IMAGE_ADDRESS    as the ELF says.
 *   HATCHERY_CHANNEL_ADDRESS  rw-       the channel: struct hatchery_channel.
 *   HATCHERY_STACK_TOP        rw-       the stack ends here and grows down; its size is in the boot
 *                                       page; the page below it is not mapped.
 *   HATCHERY_HEAP_ADDRESS     rw-       the rest of the memory. At least 8 GiB of address space
 *                                       behind its end are not mapped.
 */
#define HATCHERY_RESUME_ADDRESS 0x00100000u
#define HATCHERY_DOORBELL_ADDRESS 0x00180000u
#define HATCHERY_BOOT_ADDRESS 0x00200000u
#define HATCHERY_IMAGE_ADDRESS 0x04000000u
#define HATCHERY_IMAGE_END 0x40000000u
#define HATCHERY_CHANNEL_ADDRESS 0x50000000u
#define HATCHERY_STACK_TOP 0x70000000u
#define HATCHERY_HEAP_ADDRESS UINT64_C(0x100000000)

/*
 * ENTRY. The first instruction runs at the ELF entry point with RSP = HATCHERY_STACK_TOP, the
 * direction flag clear and the vector state (x87, SSE, AVX and whatever else XCR0 enables) in its
 * initial configuration. All other registers are unspecified.
 *
 * BOOT PAGE, at HATCHERY_BOOT_ADDRESS, read-only. Configuration items follow at
 * HATCHERY_BOOT_ADDRESS + HATCHERY_PAGE_BYTES: `configuration_bytes` bytes of items, each a
 * struct hatchery_item, then the name, a NUL, the value, a NUL, and padding with NULs up to the
 * next multiple of 8. The items are what the instance gets from its parent; a guest ignores names
 * that it does not know. More pages MAY be mapped behind them.
 */
struct hatchery_boot {
    uint64_t magic;               /* HATCHERY_MAGIC */
    uint32_t abi_version;         /* HATCHERY_ABI_VERSION */
    uint32_t reserved;            /* 0 */
    uint64_t memory_bytes;        /* the instance's memory but for read-only segments, which all
                                     instances of a function share; a multiple of 4096 */
    uint64_t heap_bytes;          /* mapped bytes at HATCHERY_HEAP_ADDRESS */
    uint64_t stack_bytes;         /* mapped bytes below HATCHERY_STACK_TOP */
    uint64_t configuration_bytes; /* bytes of items behind this page */
    uint64_t tsc_hertz;           /* frequency of RDTSC as the guest sees it; never 0 */
};

struct hatchery_item {
    uint32_t name_bytes;  /* without the NUL */
    uint32_t value_bytes; /* without the NUL */
};

/*
 * CHANNEL. One region that the host and the guest share. The host writes it only while the vCPU
 * does not run; so does it read.
 *
 *   request window   struct hatchery_control, then at HATCHERY_REQUEST_OFFSET what comes in
 *   response window  what goes out: a response frame, a body chunk, a panic report, a host call
 *   log window       log records that the host has not yet collected
 */
#define HATCHERY_REQUEST_WINDOW_BYTES 0x40000u  /* 256 KiB, control block included */
#define HATCHERY_RESPONSE_WINDOW_BYTES 0x40000u /* 256 KiB */
#define HATCHERY_LOG_WINDOW_BYTES 0x10000u      /* 64 KiB */
#define HATCHERY_REQUEST_OFFSET 128u
#define HATCHERY_REQUEST_CAPACITY (HATCHERY_REQUEST_WINDOW_BYTES - HATCHERY_REQUEST_OFFSET)
#define HATCHERY_RESPONSE_OFFSET HATCHERY_REQUEST_WINDOW_BYTES
#define HATCHERY_LOG_OFFSET (HATCHERY_RESPONSE_OFFSET + HATCHERY_RESPONSE_WINDOW_BYTES)
#define HATCHERY_CHANNEL_BYTES (HATCHERY_LOG_OFFSET + HATCHERY_LOG_WINDOW_BYTES)

#define HATCHERY_ENTROPY_BYTES 32u

/*
 * CONTROL BLOCK, at HATCHERY_CHANNEL_ADDRESS. The first part is the host's to write before it
 * resumes the guest, the second the guest's to write before it makes a hypercall.
 */
struct hatchery_control {
    /* host to guest */
    uint64_t wall_nanoseconds;      /* since 1970-01-01 UTC, when the request was handed over */
    uint64_t monotonic_nanoseconds; /* the host's monotonic clock at that moment */
    uint64_t generation;            /* names this request; no two of a process have the same */
    uint8_t entropy[HATCHERY_ENTROPY_BYTES]; /* fresh for each request; the guest MUST reseed from
                                                it before it runs the user's code, then wipe it */
    uint32_t request_bytes;         /* bytes at HATCHERY_REQUEST_OFFSET */
    uint32_t resume_reason;         /* enum hatchery_resume */
    /* guest to host */
    uint32_t response_bytes; /* bytes in the response window that the hypercall is about */
    uint32_t log_bytes;      /* bytes in the log window; the host sets it back to 0 */
};

/* Why the host resumed the guest; the host writes it before every KVM_RUN that follows a hypercall. */
enum hatchery_resume {
    HATCHERY_RESUME_REQUEST = 1, /* a request frame is in the request window */
    HATCHERY_RESUME_CHUNK = 2,   /* answers PULL: the next body bytes are there; 0 bytes: the end */
    HATCHERY_RESUME_CONTINUE = 3, /* answers PUSH, LOG, CALL and a RESPOND with
                                     HATCHERY_RESPONSE_MORE or HATCHERY_RESPONSE_BACKGROUND: go on */
    HATCHERY_RESUME_COMPLETION = 4, /* ends WAIT: a completion frame is in the request window */
    HATCHERY_RESUME_TIMER = 5       /* ends WAIT: its time has come; the request window is empty */
};

/*
 * HYPERCALLS. A guest makes one by storing one byte, the operation, at HATCHERY_DOORBELL_ADDRESS.
 * KVM takes any instruction that does so; Xen takes `movb %dil, HATCHERY_DOORBELL_ADDRESS` alone, and
 * anything else is a fault there (hatchery_xen.h). RAX, RCX, RDX and the flags are clobbered. Any other exit (another width or place, a load from the
 * doorbell's page, port I/O, HLT, a fault) ends the instance, and its shell is never used again.
 *
 *   READY    The snapshot point: start-up is over. Returns when there is a request, with the vector
 *            state in its initial configuration: a guest MUST NOT expect it to survive READY. The
 *            same return may happen any number of times, in this virtual machine or in others.
 *   RESPOND  A response frame is in the response window. Without HATCHERY_RESPONSE_MORE or
 *            HATCHERY_RESPONSE_BACKGROUND it is final: the host rewinds or destroys the instance
 *            here, or (an instance that lives for several requests) resumes it with the next
 *            request.
 *   LOG      The log window has no room: the host collects it.
 *   PULL     Asks for the next bytes of the request's body; the guest sleeps until they are there.
 *            (READ is the host call that does the same while the guest goes on.)
 *   PUSH     Body bytes of the response are in the response window; 0 bytes: the body is complete.
 *            The guest sleeps until the client can take more. Final like RESPOND when it is the last and the instance has no background work, which
 *            the guest said with the flags of its RESPOND.
 *   FINISH   Background work (ctx.waitUntil) is over. Final.
 *   PANIC    A struct hatchery_panic and its text are in the response window. Never returns.
 *   CALL     A call frame is in the response window: enqueues a host call and returns at once.
 *   WAIT     A struct hatchery_wait is in the response window: yields until there is a completion,
 *            or until its time. A guest that waits for ever with no call in flight is ended.
 *   UNCONFIGURED  Start-up has come so far without a look at the configuration: the guest has read
 *            neither the items nor `configuration_bytes`. At most once, before READY. Returns as
 *            READY does, with the control block filled as for ENTRY; the items, `configuration_bytes`
 *            and the control block MAY be others each time, the rest of the boot page is not. So a
 *            host can start many functions of one image from one snapshot.
 *   PROBE    Only the host's own resume stub makes it, when the host compares states.
 */
enum hatchery_operation {
    HATCHERY_READY = 1,
    HATCHERY_RESPOND = 2,
    HATCHERY_LOG = 3,
    HATCHERY_PULL = 4,
    HATCHERY_PUSH = 5,
    HATCHERY_FINISH = 6,
    HATCHERY_PANIC = 7,
    HATCHERY_CALL = 8,
    HATCHERY_WAIT = 9,
    HATCHERY_UNCONFIGURED = 10,
    HATCHERY_PROBE = 255
};

/*
 * REQUEST FRAME. The header, then `head_bytes` bytes of head, then the first `body_bytes` bytes of
 * the body. The head is a row of NUL-terminated strings: method, absolute URL, then name and value
 * of each header in turn; names in lower case; ISO 8859-1, no NUL inside a string, so that a C guest
 * may use them in place. If HATCHERY_REQUEST_MORE is set, more of the body is to be had by PULL.
 */
struct hatchery_request {
    uint32_t head_bytes;
    uint32_t body_bytes; /* in this frame */
    uint32_t flags;
    uint32_t reserved; /* 0 */
};

#define HATCHERY_REQUEST_MORE 1u

/*
 * RESPONSE FRAME. The header, then the head (name and value of each header in turn, each
 * NUL-terminated, ISO 8859-1, any case), then body bytes.
 */
struct hatchery_response {
    uint32_t status; /* 200 to 599 */
    uint32_t flags;
    uint32_t head_bytes;
    uint32_t body_bytes; /* in this frame */
};

#define HATCHERY_RESPONSE_MORE 1u       /* the rest of the body follows by PUSH */
#define HATCHERY_RESPONSE_BACKGROUND 2u /* the instance goes on after the body, until FINISH */
#define HATCHERY_RESPONSE_ERROR 4u      /* the user's code failed: the body is an error report (JSON
                                           {"name","message","stack"}), not a response */
#define HATCHERY_RESPONSE_STREAM 8u     /* with MORE: the parts of the body are to reach the client
                                           one by one, as they are made. Without it the host keeps
                                           them until the body is complete, so that what goes wrong
                                           on the way can still become an error response. */

/*
 * HOST CALLS. What an instance asks of the host, several at a time. A call frame is this header,
 * then payload bytes. The guest chooses `call`, which is not 0 and not the id of a call in flight.
 * With HATCHERY_CALL_MORE the payload goes on in the next CALL with the same `call` and `kind`; no
 * other call may be begun in between. The host's limits for the number and the size of calls are
 * the function's; too large a payload fails the call, too many calls end the instance.
 */
struct hatchery_call {
    uint32_t call;
    uint32_t kind; /* enum hatchery_call_kind */
    uint32_t flags;
    uint32_t payload_bytes; /* in this frame */
};

#define HATCHERY_CALL_MORE 1u

/*
 *   FETCH    Payload: a REQUEST FRAME (struct hatchery_request, head, body), where `flags` is one of
 *            HATCHERY_FETCH_FOLLOW, _ERROR, _MANUAL (what to do with a redirect). Completion: a
 *            struct hatchery_response without body bytes, its head led by two more strings, the
 *            final URL and the reason phrase. `flags` is HATCHERY_RESPONSE_MORE where a body is to
 *            be had by READ.
 *   BINDING  Payload: the binding's name and the method's, each NUL-terminated, then the arguments
 *            as one array in the encoding of src/structured-values.ts. A binding that is a function
 *            has an empty method. Completion: the result in that encoding.
 *   READ     Payload: a uint32_t, the id of a FETCH that has completed, or 0 for the body of the
 *            instance's own request. Completion: the next bytes of that body, none at its end.
 *   CANCEL   Payload: a uint32_t, the id of a call. It is forgotten, with the body that it may have:
 *            neither it nor CANCEL gets a completion any more.
 */
enum hatchery_call_kind {
    HATCHERY_CALL_FETCH = 1,
    HATCHERY_CALL_BINDING = 2,
    HATCHERY_CALL_READ = 3,
    HATCHERY_CALL_CANCEL = 4
};

#define HATCHERY_FETCH_FOLLOW 0u
#define HATCHERY_FETCH_ERROR 1u
#define HATCHERY_FETCH_MANUAL 2u

/* What WAIT is told: until when at the latest, by the host's monotonic clock. */
struct hatchery_wait {
    uint64_t until_nanoseconds; /* HATCHERY_WAIT_FOREVER: no timer */
};

#define HATCHERY_WAIT_FOREVER UINT64_MAX

/*
 * COMPLETION FRAME, in the request window: this header, then payload bytes. With
 * HATCHERY_COMPLETION_MORE the payload goes on in the next completion of the same call, which the
 * next WAIT gets at once. With HATCHERY_COMPLETION_FAILED it is an error report: JSON
 * {"name","message","code"}, `code` being one of the host's error codes or absent.
 */
struct hatchery_completion {
    uint32_t call;
    uint32_t flags;
    uint32_t payload_bytes; /* in this frame */
    uint32_t reserved;      /* 0 */
};

#define HATCHERY_COMPLETION_MORE 1u
#define HATCHERY_COMPLETION_FAILED 2u

/*
 * LOG RECORD, in the log window: this header, then the text in UTF-8, no padding.
 */
struct hatchery_log_record {
    uint32_t level; /* enum hatchery_log_level */
    uint32_t text_bytes;
};

enum hatchery_log_level {
    HATCHERY_LOG_DEBUG = 20, /* the numbers are pino's */
    HATCHERY_LOG_INFO = 30,
    HATCHERY_LOG_WARN = 40,
    HATCHERY_LOG_ERROR = 50
};

/*
 * PANIC REPORT, in the response window: this header, then text in UTF-8: for HATCHERY_PANIC_STARTUP
 * and HATCHERY_PANIC_BROKEN the error report (JSON {"name","message","stack"}), else one line.
 */
struct hatchery_panic {
    uint32_t reason; /* enum hatchery_panic_reason */
    uint32_t text_bytes;
};

enum hatchery_panic_reason {
    HATCHERY_PANIC_ABORT = 1,   /* abort(), a WebAssembly trap, an impossible state */
    HATCHERY_PANIC_STARTUP = 2, /* start-up code threw, or its module is unusable */
    HATCHERY_PANIC_PENDING = 3, /* start-up code awaits something that can never come */
    HATCHERY_PANIC_STALLED = 4, /* the handler awaits something that can never come */
    HATCHERY_PANIC_MEMORY = 5,  /* out of memory */
    HATCHERY_PANIC_BROKEN = 6   /* the user's code failed in the middle of its response's body */
};

#endif
