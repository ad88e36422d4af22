/* Back to the snapshot, and on to a new one. */
#include "kvm_machine.h"

namespace hatchery {

Result<PageSet> KvmMachine::read_log() const {
    PageSet written(memory_.size());
    struct kvm_dirty_log log = {};
    log.slot = 0;
    log.dirty_bitmap = written.words();
    auto got = HATCHERY_IOCTL(vm_.get(), KVM_GET_DIRTY_LOG, &log);
    if (!got.ok()) {
        return got.failure();
    }
    return written;
}

void KvmMachine::add_host_writes(PageSet& pages) const {
    host_wrote_.for_each_run([&](size_t page, size_t count) {
        pages.add_bytes(snapshot_->channel() + page * HATCHERY_PAGE_BYTES,
                        count * HATCHERY_PAGE_BYTES);
    });
}

Result<PageSet> KvmMachine::all_written() const {
    auto pages = read_log();
    if (pages.ok()) {
        add_host_writes(pages.value());
    }
    return pages;
}

Result<int64_t> KvmMachine::written_pages() {
    constexpr int64_t kNoRecord = -1;
    if (!keeps_log_) {
        return kNoRecord;
    }
    auto written = read_log();
    if (!written.ok()) {
        return written.failure();
    }
    return static_cast<int64_t>(written.value().count());
}

MemoryUse KvmMachine::use_of(const PageSet& dirty) const {
    return {dirty.count(), dirty.count_with(snapshot_->filled())};
}

Result<std::optional<MemoryUse>> KvmMachine::memory_use(Written written) {
    if (!keeps_log_) {
        return std::optional<MemoryUse>();
    }
    auto pages = all_written();
    if (!pages.ok()) {
        return pages.failure();
    }
    if (written == Written::kChanged) {
        pages.value().keep_different(memory_.bytes(), snapshot_->memory(), [](size_t) {});
    }
    return std::optional(use_of(pages.value()));
}

void KvmMachine::teach_snapshot() {
    if (taught_ || !keeps_log_) {
        return;
    }
    taught_ = true;
    if (!snapshot_->wants_lesson()) {
        return;
    }
    auto pages = all_written();
    if (pages.ok()) {
        snapshot_->learn_written(pages.value());
    }
}

Result<std::optional<MemoryUse>> KvmMachine::rewind(size_t page_limit) {
    constexpr std::optional<MemoryUse> kRefused;
    if (!keeps_log_ || (!exact_exit_ && !omitted(kOmitExitCheck))) {
        return kRefused;
    }
    auto pages = read_log();
    if (!pages.ok()) {
        return pages.failure();
    }
    if (pages.value().count() > page_limit) {
        return kRefused;
    }
    if (omitted(kOmitGuestPages)) {
        pages.value().clear();
    }
    if (!omitted(kOmitHostPages)) {
        add_host_writes(pages.value());
    }
    /* The log has all that was ever written; what this request wrote of it, a comparison tells. */
    pages.value().restore_different(memory_.bytes(), snapshot_->memory());
    host_wrote_.clear();
    set_registers_next_ = true;
    return std::optional(use_of(pages.value()));
}

Status KvmMachine::complete_exit() {
    auto run = use_run();
    if (!run.ok()) {
        return run.failure();
    }
    run.value()->immediate_exit = 1;
    auto ran = HATCHERY_IOCTL(vcpu_.get(), KVM_RUN, 0ul);
    run.value()->immediate_exit = 0;
    if (ran.ok()) {
        return Failure{"KVM_RUN(immediate_exit)", EPROTO};
    }
    return ran.failure().error == EINTR ? kSuccess : Status(ran.failure());
}

Result<std::shared_ptr<Snapshot>> KvmMachine::capture() {
    if (!keeps_log_ || !exact_exit_) {
        return Failure{"capture", EINVAL};
    }
    if (Status failed = complete_exit()) {
        return *failed;
    }
    RegisterState state = snapshot_->registers();
    auto got = HATCHERY_IOCTL(vcpu_.get(), KVM_GET_REGS, &state.general);
    if (!got.ok()) {
        return got.failure();
    }
    got = HATCHERY_IOCTL(vcpu_.get(), KVM_GET_SREGS, &state.special);
    if (!got.ok()) {
        return got.failure();
    }
    auto written = all_written();
    if (!written.ok()) {
        return written.failure();
    }
    auto captured = snapshot_->capture(memory_.bytes(), written.value(), state);
    if (!captured.ok()) {
        return captured.failure();
    }
    return std::shared_ptr<Snapshot>(std::move(captured.value()));
}

}  // namespace hatchery
