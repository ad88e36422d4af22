/* What an exit of a machine means, and what is known of its faults. */
#include <string>

#include "../machine/fault_reason.h"
#include "domain_machine.h"

namespace hatchery {
namespace {

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
    const std::string where = report.stub_fault == 0
                                  ? std::string()
                                  : " in the host's stub at " + hexadecimal(report.stub_fault);
    return crashed(
        fault_reason({report.vector, report.error_code, report.fault_address}, where));
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
