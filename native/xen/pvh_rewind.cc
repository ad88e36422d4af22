/* Back to the snapshot, and on to a new one. */
#include "../machine/system_call.h"
#include "pvh_machine.h"

namespace hatchery {

bool PvhMachine::omitted([[maybe_unused]] PvhRewindPart part) const {
#ifdef HATCHERY_TEST_HOOKS
    return (omit & part) != 0;
#else
    return false;
#endif
}

Result<bool> PvhMachine::refresh_written() {
    if (Status failed = domain_->peek_dirty(written_)) {
        return *failed;
    }
    written_.remove(kMailboxPage);
    /* A processor takes a walk through the page tables for a write: it might set their accessed and
     * dirty bits (AMD APM volume 2, section 15.25.6; Intel SDM volume 3C, section 28.3.3.2). They
     * are all set, so that it never does. */
    written_.remove_from(snapshot_->layout().page_tables() / HATCHERY_PAGE_BYTES);
    const size_t own_pages = snapshot_->memory_bytes() / HATCHERY_PAGE_BYTES;
    bool sound = true;
    written_.for_each_run(
        [&](size_t page, size_t count) { sound = sound && page + count <= own_pages; });
    return sound;
}

Result<int64_t> PvhMachine::written_pages() {
    constexpr int64_t kNoRecord = -1;
    if (!keeps_log_) {
        return kNoRecord;
    }
    auto refreshed = refresh_written();
    if (!refreshed.ok()) {
        return refreshed.failure();
    }
    return static_cast<int64_t>(written_.count());
}

MemoryUse PvhMachine::use_of(const PageSet& dirty) const {
    return {dirty.count(), dirty.count_with(snapshot_->filled())};
}

/*
 * Pages are compared only where the log alone does not tell: it takes mapping all of them. A domain
 * that wrote where nothing may be written is counted with what it wrote of its own memory.
 */
Result<std::optional<MemoryUse>> PvhMachine::memory_use(Written written) {
    if (!keeps_log_) {
        return std::optional<MemoryUse>();
    }
    auto refreshed = refresh_written();
    if (!refreshed.ok()) {
        return refreshed.failure();
    }
    PageSet pages = written_;
    pages.remove_from(snapshot_->memory_bytes() / HATCHERY_PAGE_BYTES);
    pages.add(host_wrote_);
    if (written == Written::kChanged && rewound_) {
        if (Status failed = domain_->reach(pages)) {
            return *failed;
        }
        pages.keep_different(domain_->memory().data(), snapshot_->memory().data(), [](size_t) {});
    }
    return std::optional(use_of(pages));
}

Result<bool> PvhMachine::is_as_made() const {
    auto state = domain_->state();
    if (!state.ok()) {
        if (state.failure().error == ESRCH) {
            return false;
        }
        return state.failure();
    }
    if (state.value().shutdown_reason || state.value().pages != domain_->shape().pages) {
        return false;
    }
    xen_pfn_t last_frame = 0;
    constexpr const char* kLastFrame = "xc_domain_maximum_gpfn";
    if (attempt(kLastFrame, [&] {
            return xc_domain_maximum_gpfn(domain_->hypervisor().control(), domain_->id(),
                                          &last_frame);
        }) < 0) {
        return Failure::from_errno(kLastFrame);
    }
    if (last_frame != domain_->shape().shared_info_frame) {
        return false;
    }
    return domain_->has_only_channel_port();
}

/*
 * The mailbox's page is not copied as others are: the stub may be on its way to wait, and reads
 * `rung` and `answered`, which belong to the domain. All else in it but the frame is the report of
 * the last exit, which the next one overwrites, or leavings on the stack.
 */
void PvhMachine::restore_frame() {
    const size_t page = kMailboxPage * HATCHERY_PAGE_BYTES;
    const auto restore = [&](size_t start, size_t end) {
        mailbox().write(start, snapshot_->memory().subspan(page + start, end - start));
    };
    restore(HATCHERY_MAILBOX_OPERATION, HATCHERY_PAGE_BYTES);
}

Result<std::optional<MemoryUse>> PvhMachine::rewind(size_t page_limit) {
    constexpr std::optional<MemoryUse> kRefused;
    if (!keeps_log_ || (!exact_exit_ && !omitted(kOmitExitCheck))) {
        return kRefused;
    }
    auto as_made = is_as_made();
    if (!as_made.ok()) {
        return as_made.failure();
    }
    if (!as_made.value() && !omitted(kOmitDomainCheck)) {
        return kRefused;
    }
    auto sound = refresh_written();
    if (!sound.ok()) {
        return sound.failure();
    }
    if (!sound.value() || written_.count() > page_limit) {
        return kRefused;
    }
    PageSet pages(domain_->memory().size());
    if (!omitted(kOmitGuestPages)) {
        pages.add(written_);
    }
    if (!omitted(kOmitHostPages)) {
        pages.add(host_wrote_);
    }
    if (Status failed = domain_->reach(pages)) {
        return *failed;
    }
    pages.restore_different(domain_->memory().data(), snapshot_->memory().data());
    if (!omitted(kOmitGeneralRegisters)) {
        restore_frame();
    }
    host_wrote_.clear();
    operation_ = HATCHERY_READY;
    exact_exit_ = true;
    rewound_ = true;
    return std::optional(use_of(pages));
}

Result<std::shared_ptr<Snapshot>> PvhMachine::capture() {
    if (!keeps_log_ || !exact_exit_ || operation_ != HATCHERY_READY) {
        return Failure{"capture", EINVAL};
    }
    auto sound = refresh_written();
    if (!sound.ok()) {
        return sound.failure();
    }
    if (!sound.value()) {
        return Failure{"capture", EPROTO};
    }
    PageSet written = written_;
    written.add(host_wrote_);
    if (Status failed = domain_->reach(written)) {
        return *failed;
    }
    auto captured = snapshot_->capture(domain_->memory(), written, read_frame());
    if (!captured.ok()) {
        return captured.failure();
    }
    return std::shared_ptr<Snapshot>(std::move(captured.value()));
}

}  // namespace hatchery
