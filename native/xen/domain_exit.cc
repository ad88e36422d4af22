/* What an exit of a machine means, and what is known of its faults. */
#include <cstddef>
#include <string>

#include "domain_machine.h"

namespace hatchery {
namespace {

/* Vectors of exceptions. (Intel SDM volume 3A, table 6-1; AMD APM volume 2, table 8-1.) */
constexpr uint32_t kPageFault = 14;
constexpr const char* kExceptions[] = {
    "division error",
    "debug exception",
    "non-maskable interrupt",
    "breakpoint",
    "overflow",
    "bound range exceeded",
    "invalid instruction",
    "no floating-point unit",
    "double fault",
    "exception 9",
    "invalid task segment",
    "segment not present",
    "stack fault",
    "general protection fault",
    "page fault",
    "exception 15",
    "x87 floating-point error",
    "alignment check",
    "machine check",
    "SIMD floating-point error",
};

/* Bits of a page fault's error code. */
constexpr uint64_t kProtection = 1 << 0; /* the page is there */
constexpr uint64_t kStore = 1 << 1;
constexpr uint64_t kFetch = 1 << 4;

std::string describe_page_fault(uint64_t error_code, uint64_t address) {
    const bool is_mapped = (error_code & kProtection) != 0;
    if ((error_code & kFetch) != 0) {
        return "jump to " + hexadecimal(address) +
               (is_mapped ? ", which is not executable" : ", where nothing is mapped");
    }
    const bool stores = (error_code & kStore) != 0;
    const std::string access = (stores ? "store to " : "load from ") + hexadecimal(address);
    if (address / HATCHERY_PAGE_BYTES == HATCHERY_DOORBELL_ADDRESS / HATCHERY_PAGE_BYTES) {
        return access + ", which is no hypercall";
    }
    return access +
           (is_mapped ? ", which the guest may not touch so" : ", where nothing is mapped");
}

std::string describe(const struct hatchery_mailbox& report) {
    const std::string where = report.stub_fault == 0
                                  ? std::string()
                                  : " in the host's stub at " + hexadecimal(report.stub_fault);
    if (report.vector == kPageFault) {
        return "page fault" + where + ": " +
               describe_page_fault(report.error_code, report.fault_address);
    }
    const std::string name = report.vector < std::size(kExceptions)
                                 ? kExceptions[report.vector]
                                 : "exception " + std::to_string(report.vector);
    return name + where +
           (report.error_code == 0 ? "" : " (error code " + hexadecimal(report.error_code) + ")");
}

const char* name_of_shutdown(uint32_t reason) {
    switch (reason) { /* xen/sched.h */
        case SHUTDOWN_poweroff:
            return "powered off";
        case SHUTDOWN_reboot:
            return "rebooted, or made a triple fault";
        case SHUTDOWN_suspend:
            return "suspended itself";
        case SHUTDOWN_crash:
            return "crashed";
        default:
            return "shut down";
    }
}

}  // namespace

Exit DomainMachine::classify() {
    exited_ = true;
    mailbox().read(HATCHERY_MAILBOX_OPERATION,
                   {reinterpret_cast<uint8_t*>(&operation_), sizeof operation_});
    if (operation_ == HATCHERY_MAILBOX_FAULT) {
        return classify_fault();
    }
    const Exit exit = classify_operation(operation_);
    exact_exit_ = exit != Exit::kCrash;
    return exit;
}

Exit DomainMachine::classify_fault() {
    struct hatchery_mailbox report;
    mailbox().read(0, {reinterpret_cast<uint8_t*>(&report), sizeof report});
    return crashed(describe(report));
}

struct hatchery_frame DomainMachine::read_frame() const {
    struct hatchery_frame frame;
    mailbox().read(HATCHERY_MAILBOX_FRAME, {reinterpret_cast<uint8_t*>(&frame), sizeof frame});
    return frame;
}

void DomainMachine::read_registers(Crash& crash) {
    if (has_exited()) {
        const struct hatchery_frame frame = read_frame();
        crash.has_registers = true;
        crash.instruction_pointer = frame.rip;
        crash.stack_pointer = frame.rsp;
    }
}

std::string DomainMachine::last_words() const {
    return {};
}

std::optional<Exit> DomainMachine::look_for_end() {
    auto state = domain_->state();
    if (!state.ok()) {
        if (state.failure().error != ESRCH) {
            return std::nullopt;
        }
        return crashed("somebody else destroyed the domain");
    }
    if (state.value().shutdown_reason) {
        const std::string words = last_words();
        return crashed(std::string("the domain ") +
                       name_of_shutdown(*state.value().shutdown_reason) +
                       (words.empty() ? "" : ", saying: " + words));
    }
    return std::nullopt;
}

Result<Exit> DomainMachine::end_or(const Failure& failure) {
    if (auto end = look_for_end()) {
        return *end;
    }
    return failure;
}

}  // namespace hatchery
