/* What an exit of KVM_RUN means. */
#include "kvm_machine.h"

namespace hatchery {

Exit KvmMachine::classify(const struct kvm_run& run) {
    switch (run.exit_reason) {
        case KVM_EXIT_MMIO:
            return classify_store(run);
        case KVM_EXIT_SHUTDOWN:
            return crashed("triple fault");
        case KVM_EXIT_IO:
            return crashed("access to port " + hexadecimal(run.io.port));
        case KVM_EXIT_HLT:
            return crashed("halt");
        case KVM_EXIT_INTERNAL_ERROR:
            return crashed("an instruction that the host cannot emulate (suberror " +
                           std::to_string(run.internal.suberror) + ")");
        default:
            return crashed("unknown exit " + std::to_string(run.exit_reason));
    }
}

Exit KvmMachine::classify_store(const struct kvm_run& run) {
    const auto& mmio = run.mmio;
    const bool exact = mmio.is_write && mmio.len == 1 && mmio.phys_addr == snapshot_->doorbell();
    if (!exact) {
        return crashed(std::string(mmio.is_write ? "store of " : "load of ") +
                       std::to_string(mmio.len) + " bytes at absent memory " +
                       hexadecimal(mmio.phys_addr));
    }
    const Exit exit = classify_operation(mmio.data[0]);
    exact_exit_ = exit != Exit::kCrash;
    return exit;
}

void KvmMachine::read_registers(Crash& crash) {
    struct kvm_regs registers;
    if (HATCHERY_IOCTL(vcpu_.get(), KVM_GET_REGS, &registers).ok()) {
        crash.has_registers = true;
        crash.instruction_pointer = registers.rip;
        crash.stack_pointer = registers.rsp;
    }
}

}  // namespace hatchery
