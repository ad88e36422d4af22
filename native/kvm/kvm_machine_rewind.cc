/* Back to the snapshot, and on to a new one. */
#include <cstring>

#include "kvm_machine.h"

namespace hatchery {

Status KvmMachine::refresh_written() {
    struct kvm_dirty_log log = {};
    log.slot = 0;
    log.dirty_bitmap = written_.words();
    auto got = HATCHERY_IOCTL(vm_.get(), KVM_GET_DIRTY_LOG, &log);
    return got.ok() ? kSuccess : Status(got.failure());
}

Result<int64_t> KvmMachine::written_pages() {
    constexpr int64_t kNoRecord = -1;
    if (!keeps_log_) {
        return kNoRecord;
    }
    if (Status failed = refresh_written()) {
        return *failed;
    }
    return static_cast<int64_t>(written_.count());
}

void KvmMachine::teach_snapshot() {
    /* More than this is not what a request usually does, and dear for each machine to copy. */
    constexpr size_t kMostPages = 1024;
    if (taught_ || !keeps_log_) {
        return;
    }
    taught_ = true;
    if (!snapshot_->wants_lesson() || refresh_written() || written_.count() > kMostPages) {
        return;
    }
    PageSet pages = written_;
    pages.add(host_wrote_);
    snapshot_->learn_written(pages);
}

Result<int64_t> KvmMachine::rewind(size_t page_limit) {
    constexpr int64_t kRefused = -1;
    if (!keeps_log_ || (!exact_exit_ && !omitted(kOmitExitCheck))) {
        return kRefused;
    }
    if (Status failed = refresh_written()) {
        return *failed;
    }
    if (written_.count() > page_limit) {
        return kRefused;
    }
    PageSet pages(memory_.size());
    if (!omitted(kOmitGuestPages)) {
        pages.add(written_);
    }
    if (!omitted(kOmitHostPages)) {
        pages.add(host_wrote_);
    }
    int64_t copied = 0;
    pages.for_each_run([&](size_t page, size_t count) {
        std::memcpy(memory_.bytes() + page * HATCHERY_PAGE_BYTES,
                    snapshot_->memory() + page * HATCHERY_PAGE_BYTES, count * HATCHERY_PAGE_BYTES);
        copied += static_cast<int64_t>(count);
    });
    host_wrote_.clear();
    set_registers_next_ = true;
    return copied;
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
    if (Status failed = refresh_written()) {
        return *failed;
    }
    PageSet written = written_;
    written.add(host_wrote_);
    auto captured = snapshot_->capture(memory_.bytes(), written, state);
    if (!captured.ok()) {
        return captured.failure();
    }
    return std::shared_ptr<Snapshot>(std::move(captured.value()));
}

}  // namespace hatchery
