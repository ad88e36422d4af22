#include "pvh_machine.h"

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "../machine/clock.h"

namespace hatchery {
namespace {

/* How often a waiting host looks whether the domain is still there: that it died raises no event.
 */
constexpr int64_t kLookNanoseconds = 100000000;

}  // namespace

PvhMachine::PvhMachine(std::shared_ptr<PvhSnapshot> snapshot, std::unique_ptr<Domain> domain,
                       bool keeps_log)
    : snapshot_(std::move(snapshot)),
      domain_(std::move(domain)),
      keeps_log_(keeps_log),
      written_(domain_->memory().size()),
      host_wrote_(domain_->memory().size()) {}

GuestWindow PvhMachine::channel() const {
    return {domain_->memory().data() + snapshot_->layout().channel(), HATCHERY_CHANNEL_BYTES};
}

void PvhMachine::host_wrote(size_t channel_offset, size_t bytes) {
    host_wrote_.add_bytes(snapshot_->layout().channel() + channel_offset, bytes);
}

GuestWindow PvhMachine::mailbox() const {
    return {domain_->memory().data() + kMailboxPage * HATCHERY_PAGE_BYTES, HATCHERY_PAGE_BYTES};
}

bool PvhMachine::has_exited() const {
    auto* rung = reinterpret_cast<uint32_t*>(
        domain_->memory().data() + kMailboxPage * HATCHERY_PAGE_BYTES + HATCHERY_MAILBOX_RUNG);
    return std::atomic_ref(*rung).load(std::memory_order_acquire) == answered_ + 1;
}

Status PvhMachine::resume() {
    if (exited_) {
        const bool reset = operation_ == HATCHERY_READY && !omitted(kOmitVectorState);
        const uint32_t command = reset ? HATCHERY_MAILBOX_RESET : HATCHERY_MAILBOX_CONTINUE;
        mailbox().write(HATCHERY_MAILBOX_COMMAND, bytes_of(command));
        answered_++;
        exited_ = false;
        auto* answered = reinterpret_cast<uint32_t*>(domain_->memory().data() +
                                                     kMailboxPage * HATCHERY_PAGE_BYTES +
                                                     HATCHERY_MAILBOX_ANSWERED);
        std::atomic_ref(*answered).store(answered_, std::memory_order_release);
        /* Before its first run the stub does not wait yet: it finds the answer there. */
        if (started_) {
            if (Status failed = domain_->notify()) {
                return failed;
            }
        }
    }
    started_ = true;
    exact_exit_ = false;
    return domain_->paused() ? domain_->unpause() : kSuccess;
}

Result<bool> PvhMachine::wait_for_exit(int64_t deadline) {
    for (;;) {
        auto event = domain_->wait(deadline);
        if (!event.ok()) {
            return event.failure();
        }
        if (has_exited()) {
            return true;
        }
        if (!event.value()) {
            return false;
        }
    }
}

Result<Exit> PvhMachine::run(int64_t deadline) {
    if (exited_ && !exact_exit_) {
        return Failure{"run after a crash", EINVAL};
    }
    if (Status failed = resume()) {
        return end_or(*failed);
    }
    for (;;) {
        auto exited = wait_for_exit(std::min(deadline, monotonic_now() + kLookNanoseconds));
        if (!exited.ok()) {
            return end_or(exited.failure());
        }
        if (exited.value()) {
            return classify();
        }
        if (auto end = look_for_end()) {
            return *end;
        }
        if (monotonic_now() >= deadline) {
            return interrupt();
        }
    }
}

Result<Exit> PvhMachine::interrupt() {
    if (Status failed = domain_->pause()) {
        return end_or(*failed);
    }
    return has_exited() ? classify() : Exit::kInterrupted;
}

int64_t PvhMachine::cpu_now() {
    auto state = domain_->state();
    if (state.ok()) {
        cpu_nanoseconds_ = state.value().cpu_nanoseconds;
    }
    return cpu_nanoseconds_;
}

}  // namespace hatchery
