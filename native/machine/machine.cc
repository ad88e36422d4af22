#include "machine.h"

#include <atomic>
#include <cstdio>
#include <cstring>

#include "clock.h"
#include "entropy.h"

namespace hatchery {

std::string hexadecimal(uint64_t value) {
    char text[2 + 16 + 1];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

void Machine::write_channel(size_t offset, std::span<const uint8_t> bytes) {
    channel().write(offset, bytes);
    host_wrote(offset, bytes.size());
}

Status Machine::write_control(uint32_t reason, std::span<const uint8_t> bytes) {
    static std::atomic<uint64_t> last_generation{0};
    struct hatchery_control control = {};
    control.wall_nanoseconds = static_cast<uint64_t>(wall_now());
    control.monotonic_nanoseconds = static_cast<uint64_t>(monotonic_now());
    control.generation = last_generation.fetch_add(1, std::memory_order_relaxed) + 1;
    if (Status failed = fill_entropy(control.entropy)) {
        return failed;
    }
    control.request_bytes = static_cast<uint32_t>(bytes.size());
    control.resume_reason = reason;
    write_channel(0, bytes_of(control));
    explicit_bzero(control.entropy, sizeof control.entropy);
    return kSuccess;
}

Status Machine::hand_over(enum hatchery_resume reason, std::span<const uint8_t> bytes) {
    if (bytes.size() > HATCHERY_REQUEST_CAPACITY) {
        return Failure{"request window", EMSGSIZE};
    }
    if (reason == HATCHERY_RESUME_REQUEST) {
        if (Status failed = write_control(reason, bytes)) {
            return failed;
        }
    } else {
        const uint32_t answer[] = {static_cast<uint32_t>(bytes.size()), reason};
        static_assert(offsetof(struct hatchery_control, resume_reason) ==
                      offsetof(struct hatchery_control, request_bytes) + sizeof answer[0]);
        write_channel(offsetof(struct hatchery_control, request_bytes), bytes_of(answer));
    }
    write_channel(HATCHERY_REQUEST_OFFSET, bytes);
    return kSuccess;
}

bool Machine::read_channel(size_t offset, std::span<uint8_t> into) const {
    return channel().read(offset, into);
}

bool Machine::read_control() {
    constexpr size_t kGuestPart = offsetof(struct hatchery_control, response_bytes);
    uint32_t lengths[2] = {};
    static_assert(sizeof(struct hatchery_control) == kGuestPart + sizeof lengths);
    read_channel(kGuestPart, {reinterpret_cast<uint8_t*>(lengths), sizeof lengths});
    if (lengths[0] > HATCHERY_RESPONSE_WINDOW_BYTES || lengths[1] > HATCHERY_LOG_WINDOW_BYTES) {
        response_bytes_ = log_bytes_ = 0;
        return false;
    }
    response_bytes_ = lengths[0];
    log_bytes_ = lengths[1];
    if (log_bytes_ > 0) {
        const uint32_t collected = 0;
        write_channel(offsetof(struct hatchery_control, log_bytes), bytes_of(collected));
    }
    return true;
}

Exit Machine::classify_operation(uint32_t operation) {
    switch (operation) {
        case HATCHERY_READY:
        case HATCHERY_RESPOND:
        case HATCHERY_LOG:
        case HATCHERY_PULL:
        case HATCHERY_PUSH:
        case HATCHERY_FINISH:
        case HATCHERY_PANIC:
        case HATCHERY_CALL:
        case HATCHERY_WAIT:
        case HATCHERY_UNCONFIGURED:
#ifdef HATCHERY_TEST_HOOKS
        case HATCHERY_PROBE:
#endif
            break;
        default:
            return crashed("unknown hypercall " + std::to_string(operation));
    }
    if (!read_control()) {
        return crashed("a length in the control block beyond its window");
    }
    return static_cast<Exit>(operation);
}

Exit Machine::crashed(std::string reason) {
    crash_ = {};
    crash_.reason = std::move(reason);
    read_registers(crash_);
    /* What it logged before is worth having; lengths beyond the window count as none. */
    read_control();
    response_bytes_ = 0;
    return Exit::kCrash;
}

}  // namespace hatchery
