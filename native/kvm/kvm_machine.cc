#include "kvm_machine.h"

#include <cstring>

#include "../machine/clock.h"
#include "ioctl_numbers.h"
#include "resume_stub.h"

namespace hatchery {
namespace {

/*
 * Where SYSCALL and SYSENTER would lead: nowhere. EFER.SCE is clear, but not every host heeds it
 * (kvm-pvm jumps to LSTAR in ring 3); page zero is not mapped. (Intel SDM volume 4, table 2-2.)
 */
constexpr uint32_t kClearedMsrs[] = {
    0xc0000081, /* STAR */
    0xc0000082, /* LSTAR */
    0xc0000083, /* CSTAR */
    0x174,      /* SYSENTER_CS */
    0x175,      /* SYSENTER_ESP */
    0x176,      /* SYSENTER_EIP */
};

}  // namespace

KvmMachine::KvmMachine(std::shared_ptr<KvmSnapshot> snapshot) : snapshot_(std::move(snapshot)) {}

Result<std::unique_ptr<KvmMachine>> KvmMachine::create(std::shared_ptr<KvmSnapshot> snapshot,
                                                       bool keep_log) {
    if (Status failed = Watchdog::start()) {
        return *failed;
    }
    std::unique_ptr<KvmMachine> machine(new KvmMachine(std::move(snapshot)));
    RunMapping::unmap_idle();
    const KvmDevice& device = machine->snapshot_->device();
    auto vm = HATCHERY_IOCTL(device.descriptor(), KVM_CREATE_VM, 0ul);
    if (!vm.ok()) {
        return vm.failure();
    }
    machine->vm_ = Descriptor(vm.value());
    if (Status failed = machine->add_memory(keep_log)) {
        return *failed;
    }
    if (Status failed = machine->create_vcpu()) {
        return *failed;
    }
    return machine;
}

Status KvmMachine::add_memory(bool keep_log) {
    auto memory = snapshot_->take_memory();
    if (!memory.ok()) {
        return memory.failure();
    }
    memory_ = std::move(memory.value());
    /*
     * Pages that are known to be written become this machine's own before KVM knows the memory: a
     * later copy-on-write fault would call the MMU notifier of every machine in the process.
     */
    Status failed;
    snapshot_->usually_written().for_each_run([&](size_t page, size_t pages) {
        uint8_t* start = memory_.bytes() + page * HATCHERY_PAGE_BYTES;
        /* Kernels before 5.14 do not know it (EINVAL), and fault the pages in one by one. */
        constexpr const char* kPopulate = "madvise(MADV_POPULATE_WRITE)";
        if (!failed &&
            attempt(kPopulate,
                    [&] {
                        return madvise(start, pages * HATCHERY_PAGE_BYTES, MADV_POPULATE_WRITE);
                    }) < 0 &&
            errno != EINVAL) {
            failed = Failure::from_errno(kPopulate);
        }
    });
    if (failed) {
        return failed;
    }
    keeps_log_ = keep_log || snapshot_->wants_lesson();
    if (keeps_log_) {
        struct kvm_enable_cap manual = {};
        manual.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2;
        manual.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
        auto enabled = HATCHERY_IOCTL(vm_.get(), KVM_ENABLE_CAP, &manual);
        if (!enabled.ok()) {
            return enabled.failure();
        }
    }
    const PageTables& tables = snapshot_->tables();
    const SharedRegion* shared = snapshot_->shared();
    const size_t large_from = memory_.large_from();
    failed = add_slot(0, keeps_log_ ? KVM_MEM_LOG_DIRTY_PAGES : 0, 0, memory_.bytes(), large_from);
    if (!failed && large_from < memory_.size()) {
        failed =
            add_slot(3, 0, large_from, memory_.bytes() + large_from, memory_.size() - large_from);
    }
    if (!failed) {
        failed = add_slot(1, 0, tables.physical_address(), tables.memory().bytes(),
                          tables.memory().size());
    }
    if (!failed && shared != nullptr) {
        failed = add_slot(2, KVM_MEM_READONLY, shared->physical_address(), shared->bytes(),
                          shared->size());
    }
    return failed;
}

Status KvmMachine::add_slot(uint32_t slot, uint32_t flags, uint64_t physical_address,
                            const uint8_t* bytes, size_t size) {
    struct kvm_userspace_memory_region region = {};
    region.slot = slot;
    region.flags = flags;
    region.guest_phys_addr = physical_address;
    region.memory_size = size;
    region.userspace_addr = reinterpret_cast<uint64_t>(bytes);
    auto added = HATCHERY_IOCTL(vm_.get(), KVM_SET_USER_MEMORY_REGION, &region);
    return added.ok() ? kSuccess : Status(added.failure());
}

Status KvmMachine::create_vcpu() {
    const KvmDevice& device = snapshot_->device();
    auto vcpu = HATCHERY_IOCTL(vm_.get(), KVM_CREATE_VCPU, 0ul);
    if (!vcpu.ok()) {
        return vcpu.failure();
    }
    vcpu_ = Descriptor(vcpu.value());
    auto done = kvm_ioctl(vcpu_.get(), kSetCpuid2, device.cpuid(), "KVM_SET_CPUID2");
    if (!done.ok()) {
        return done.failure();
    }
    if (device.reports_xsave()) {
        struct kvm_xcrs xcrs = {};
        xcrs.nr_xcrs = 1;
        xcrs.xcrs[0].value = device.guest_xcr0();
        done = HATCHERY_IOCTL(vcpu_.get(), KVM_SET_XCRS, &xcrs);
        if (!done.ok()) {
            return done.failure();
        }
    }
    MsrList<std::size(kClearedMsrs)> msrs;
    for (size_t i = 0; i < std::size(kClearedMsrs); i++) {
        msrs.entries[i].index = kClearedMsrs[i];
    }
    done = kvm_ioctl(vcpu_.get(), kSetMsrs, &msrs, "KVM_SET_MSRS");
    if (!done.ok()) {
        return done.failure();
    }
    if (done.value() != static_cast<int>(std::size(kClearedMsrs))) {
        return Failure{"KVM_SET_MSRS", ENOTSUP};
    }
    return kSuccess;
}

GuestWindow KvmMachine::channel() const {
    return {memory_.bytes() + snapshot_->channel(), HATCHERY_CHANNEL_BYTES};
}

void KvmMachine::host_wrote(size_t channel_offset, size_t bytes) {
    host_wrote_.add_bytes(channel_offset, bytes);
}

int64_t KvmMachine::cpu_now() {
    return thread_cpu_now();
}

bool KvmMachine::omitted([[maybe_unused]] RewindPart part) const {
#ifdef HATCHERY_TEST_HOOKS
    return (omit & part) != 0;
#else
    return false;
#endif
}

Result<RunMapping::Use> KvmMachine::use_run() {
    return run_.use(vcpu_.get(), snapshot_->device().run_bytes());
}

void KvmMachine::set_registers(struct kvm_run& run) {
    const RegisterState& state = snapshot_->registers();
    uint64_t dirty = 0;
    if (!omitted(kOmitGeneralRegisters)) {
        run.s.regs.regs = state.general;
        if (omitted(kOmitVectorState)) {
            std::memcpy(&run.s.regs.regs.rip, snapshot_->memory() + kResumeTarget,
                        sizeof run.s.regs.regs.rip);
        }
        dirty |= KVM_SYNC_X86_REGS;
    }
    if (!omitted(kOmitSpecialRegisters)) {
        run.s.regs.sregs = state.special;
        dirty |= KVM_SYNC_X86_SREGS;
    }
    if (!omitted(kOmitEvents)) {
        run.s.regs.events = state.events;
        dirty |= KVM_SYNC_X86_EVENTS;
    }
    run.kvm_dirty_regs = dirty;
}

Result<Exit> KvmMachine::run(int64_t deadline) {
    exact_exit_ = false;
    captured_.reset();
    auto use = use_run();
    if (!use.ok()) {
        return use.failure();
    }
    struct kvm_run& run = *use.value();
    if (set_registers_next_) {
        set_registers(run);
        set_registers_next_ = false;
    }
    const Watchdog::Guard guard(&run, deadline);
    for (;;) {
        auto ran = HATCHERY_IOCTL(vcpu_.get(), KVM_RUN, 0ul);
        if (ran.ok()) {
            return classify(run);
        }
        if (ran.failure().error != EINTR && ran.failure().error != EAGAIN) {
            return ran.failure();
        }
        run.immediate_exit = 0;
        if (monotonic_now() >= deadline) {
            return Exit::kInterrupted;
        }
    }
}

}  // namespace hatchery
