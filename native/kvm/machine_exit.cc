/* What an exit means, and what the guest said with it. */
#include <cstddef>
#include <cstdio>

#include "machine.h"

namespace hatchery {
namespace {

std::string hexadecimal(uint64_t value) {
    char text[2 + 16 + 1];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

}  // namespace

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

Exit Machine::classify() {
    switch (run_->exit_reason) {
        case KVM_EXIT_MMIO:
            return classify_store();
        case KVM_EXIT_SHUTDOWN:
            return crashed("triple fault");
        case KVM_EXIT_IO:
            return crashed("access to port " + hexadecimal(run_->io.port));
        case KVM_EXIT_HLT:
            return crashed("halt");
        case KVM_EXIT_INTERNAL_ERROR:
            return crashed("an instruction that the host cannot emulate (suberror " +
                           std::to_string(run_->internal.suberror) + ")");
        default:
            return crashed("unknown exit " + std::to_string(run_->exit_reason));
    }
}

Exit Machine::classify_store() {
    const auto& mmio = run_->mmio;
    const bool exact = mmio.is_write && mmio.len == 1 && mmio.phys_addr == snapshot_->doorbell();
    if (!exact) {
        return crashed(std::string(mmio.is_write ? "store of " : "load of ") +
                       std::to_string(mmio.len) + " bytes at absent memory " +
                       hexadecimal(mmio.phys_addr));
    }
    const uint8_t operation = mmio.data[0];
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
    exact_exit_ = true;
    return static_cast<Exit>(operation);
}

Exit Machine::crashed(std::string reason) {
    crash_ = {};
    crash_.reason = std::move(reason);
    struct kvm_regs registers;
    if (HATCHERY_IOCTL(vcpu_.get(), KVM_GET_REGS, &registers).ok()) {
        crash_.has_registers = true;
        crash_.instruction_pointer = registers.rip;
        crash_.stack_pointer = registers.rsp;
    }
    /* What it logged before is worth having; lengths beyond the window count as none. */
    read_control();
    response_bytes_ = 0;
    return Exit::kCrash;
}

}  // namespace hatchery
