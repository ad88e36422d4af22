/*
 * Without a host of Hatchery's: the domain was made by `xl create` or the like. Logs and what went
 * wrong go to the console, and at READY there is nobody to send a request.
 */
#include "boot.h"

static int exits_when_ready;

void standalone_begin(int exits) {
    exits_when_ready = exits;
}

static volatile struct hatchery_control *control(void) {
    return (volatile struct hatchery_control *)HATCHERY_CHANNEL_ADDRESS;
}

static const uint8_t *channel(size_t offset) {
    return (const uint8_t *)HATCHERY_CHANNEL_ADDRESS + offset;
}

static const char *level_name(uint32_t level) {
    switch (level) {
        case HATCHERY_LOG_DEBUG: return "debug: ";
        case HATCHERY_LOG_INFO: return "info: ";
        case HATCHERY_LOG_WARN: return "warn: ";
        case HATCHERY_LOG_ERROR: return "error: ";
        default: return "log: ";
    }
}

static void print_logs(void) {
    const uint32_t logged = control()->log_bytes;
    const uint32_t count = logged < HATCHERY_LOG_WINDOW_BYTES ? logged : HATCHERY_LOG_WINDOW_BYTES;
    struct hatchery_log_record record;
    for (uint32_t at = 0; count - at >= sizeof record;) {
        copy_bytes(&record, channel(HATCHERY_LOG_OFFSET + at), sizeof record);
        at += sizeof record;
        if (record.text_bytes > count - at) {
            print("hatchery: a broken log record\n");
            break;
        }
        print(level_name(record.level));
        print_bytes((const char *)channel(HATCHERY_LOG_OFFSET + at), record.text_bytes);
        print("\n");
        at += record.text_bytes;
    }
    control()->log_bytes = 0;
}

static const char *panic_name(uint32_t reason) {
    switch (reason) {
        case HATCHERY_PANIC_ABORT: return "abort";
        case HATCHERY_PANIC_STARTUP: return "start-up failed";
        case HATCHERY_PANIC_PENDING: return "start-up waits for ever";
        case HATCHERY_PANIC_STALLED: return "the handler waits for ever";
        case HATCHERY_PANIC_MEMORY: return "out of memory";
        case HATCHERY_PANIC_BROKEN: return "the response broke off";
        default: return "for an unknown reason";
    }
}

__attribute__((noreturn)) static void report_panic(void) {
    struct hatchery_panic report = {0};
    const uint32_t response_bytes = control()->response_bytes;
    if (response_bytes >= sizeof report && response_bytes <= HATCHERY_RESPONSE_WINDOW_BYTES) {
        copy_bytes(&report, channel(HATCHERY_RESPONSE_OFFSET), sizeof report);
        const uint32_t room = response_bytes - (uint32_t)sizeof report;
        report.text_bytes = report.text_bytes < room ? report.text_bytes : room;
    }
    print("hatchery: panic (");
    print(panic_name(report.reason));
    print("): ");
    print_bytes((const char *)channel(HATCHERY_RESPONSE_OFFSET + sizeof report), report.text_bytes);
    print("\n");
    crash();
}

static void print_register(const char *name, uint64_t value) {
    print(name);
    print_hexadecimal(value);
}

__attribute__((noreturn)) static void report_fault(const struct hatchery_mailbox *from) {
    print("hatchery: fault: exception ");
    print_decimal(from->vector);
    print_register(", error code ", from->error_code);
    if (from->vector == 14) {
        print_register(", address ", from->fault_address);
    }
    print_register(", at ", from->frame.rip);
    print_register(", stack ", from->frame.rsp);
    if (from->stub_fault != 0) {
        print_register("; in the entries themselves at ", from->stub_fault);
    }
    print("\n");
    crash();
}

__attribute__((noreturn)) static void be_ready(void) {
    print("hatchery: ready\n");
    if (exits_when_ready) {
        power_off();
    }
    static const struct xen_poll poll; /* no ports, no timeout */
    for (;;) {
        xen_hypercall(XEN_SCHED_OP, XEN_SCHED_POLL, (uint64_t)&poll, 0, 0);
    }
}

void standalone_answer(struct hatchery_mailbox *from) {
    print_logs();
    switch (from->operation) {
        case HATCHERY_MAILBOX_FAULT: report_fault(from);
        case HATCHERY_PANIC: report_panic();
        case HATCHERY_READY: be_ready();
        case HATCHERY_LOG: break;
        case HATCHERY_UNCONFIGURED: fill_control(); break;
        default:
            print("hatchery: operation ");
            print_decimal(from->operation);
            give_up("of the guest's needs a host, and this domain has none");
    }
    control()->request_bytes = 0;
    control()->resume_reason = HATCHERY_RESUME_CONTINUE;
    from->command = HATCHERY_MAILBOX_CONTINUE;
}
