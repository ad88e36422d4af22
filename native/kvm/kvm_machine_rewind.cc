/* Back to the snapshot, and on to a new one. */
#include "kvm_machine.h"

#include <cstring>

#include "resume_stub.h"

namespace hatchery {

Result<KvmMachine::WrittenPages> KvmMachine::guest_writes() const {
    WrittenPages pages = {PageSet(memory_.size()), PageSet(memory_.size())};
    struct kvm_dirty_log log = {};
    log.slot = 0;
    log.dirty_bitmap = pages.recorded.words();
    auto got = HATCHERY_IOCTL(vm_.get(), KVM_GET_DIRTY_LOG, &log);
    if (!got.ok()) {
        return got.failure();
    }
    if (Status failed = add_large(pages.large)) {
        return *failed;
    }
    if (view_of_ != nullptr) { /* else the snapshot has filled none of the large ones */
        pages.large.move_common(snapshot_->filled(), pages.recorded);
    }
    return pages;
}

Status KvmMachine::add_large(PageSet& pages) const {
    const size_t from = memory_.large_from();
    if (from == memory_.size()) {
        return kSuccess;
    }
    return snapshot_->device().pagemap()->add_backed(memory_.bytes(), from, memory_.size(), pages);
}

void KvmMachine::add_host_writes(PageSet& pages) const {
    host_wrote_.for_each_run([&](size_t page, size_t count) {
        pages.add_bytes(snapshot_->channel() + page * HATCHERY_PAGE_BYTES,
                        count * HATCHERY_PAGE_BYTES);
    });
}

Result<KvmMachine::WrittenPages> KvmMachine::all_writes() const {
    auto pages = guest_writes();
    if (pages.ok()) {
        add_host_writes(pages.value().recorded);
    }
    return pages;
}

void KvmMachine::keep_changed(WrittenPages& pages) const {
    pages.recorded.keep_different(memory_.bytes(), snapshot_->memory(), [](size_t) {});
    pages.large.keep_filled(memory_.bytes());
}

Result<int64_t> KvmMachine::written_pages() {
    constexpr int64_t kNoRecord = -1;
    if (!keeps_log_) {
        return kNoRecord;
    }
    auto written = guest_writes();
    if (!written.ok()) {
        return written.failure();
    }
    return static_cast<int64_t>(written.value().count());
}

MemoryUse KvmMachine::use_of(const WrittenPages& dirty) const {
    return {dirty.count(), dirty.recorded.count_with(snapshot_->filled()) + dirty.large.count()};
}

Result<std::optional<MemoryUse>> KvmMachine::memory_use(Written written) {
    if (!keeps_log_) {
        return std::optional<MemoryUse>();
    }
    auto pages = all_writes();
    if (!pages.ok()) {
        return pages.failure();
    }
    if (written == Written::kChanged) {
        keep_changed(pages.value());
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
    auto pages = all_writes();
    if (pages.ok()) {
        snapshot_->learn_written(pages.value().recorded);
    }
}

Result<std::optional<MemoryUse>> KvmMachine::rewind(size_t page_limit) {
    constexpr std::optional<MemoryUse> kRefused;
    if (!keeps_log_ || (!exact_exit_ && !omitted(kOmitExitCheck))) {
        return kRefused;
    }
    auto written = guest_writes();
    if (!written.ok()) {
        return written.failure();
    }
    WrittenPages& pages = written.value();
    if (pages.count() > page_limit) {
        return kRefused;
    }
    if (omitted(kOmitGuestPages)) {
        pages.recorded.clear();
        pages.large.clear();
    }
    if (!omitted(kOmitHostPages)) {
        add_host_writes(pages.recorded);
    }
    /* The log has all that was ever written; what this request wrote of it, a comparison tells. */
    pages.recorded.restore_different(memory_.bytes(), snapshot_->memory());
    pages.large.clear_filled(memory_.bytes());
    host_wrote_.clear();
    set_registers_next_ = true;
    return std::optional(use_of(pages));
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
    auto written = all_writes();
    if (!written.ok()) {
        return written.failure();
    }
    WrittenPages& pages = written.value();
    pages.large.keep_filled(memory_.bytes());
    pages.recorded.add(pages.large);
    auto captured = snapshot_->capture(memory_.bytes(), pages.recorded, state);
    if (!captured.ok()) {
        return captured.failure();
    }
    captured_ = captured.value();
    return std::shared_ptr<Snapshot>(std::move(captured.value()));
}

Result<bool> KvmMachine::join_captured() {
    /* It keeps what its memory is a view of, which other machines of the snapshot do without, and
     * each rewind has to look through large pages of which they have none. */
    constexpr size_t kMostKeptPages = 256;
    constexpr size_t kMostLargePages = kLargePageBytes / HATCHERY_PAGE_BYTES;
    const auto captured = captured_.lock();
    if (!captured || snapshot_->filled().count() > kMostKeptPages) {
        return false;
    }
    auto written = guest_writes();
    if (!written.ok()) {
        return written.failure();
    }
    if (written.value().large.count() > kMostLargePages) {
        return false;
    }
    /* The record begins anew: a page is caught again when it is written for the first time. */
    struct kvm_clear_dirty_log clear = {};
    clear.num_pages = static_cast<uint32_t>(memory_.large_from() / HATCHERY_PAGE_BYTES);
    clear.dirty_bitmap = written.value().recorded.words();
    auto cleared = HATCHERY_IOCTL(vm_.get(), KVM_CLEAR_DIRTY_LOG, &clear);
    if (!cleared.ok()) {
        return cleared.failure();
    }
    std::memcpy(memory_.bytes(), captured->memory(), kResumeBytes);
    host_wrote_.clear();
    taught_ = false;
    set_registers_next_ = true;
    captured_.reset();
    view_of_ = std::exchange(snapshot_, captured);
    return true;
}

}  // namespace hatchery
