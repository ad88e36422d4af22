#include "domain_machine.h"

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

DomainMachine::DomainMachine(std::unique_ptr<Domain>&& domain, std::span<uint8_t> mailbox,
                             std::span<uint8_t> channel, Start start)
    : domain_(std::move(domain)),
      mailbox_(mailbox),
      channel_(channel),
      exited_(start == Start::kAnswersReady) {}

GuestWindow DomainMachine::channel() const {
    return {channel_.data(), channel_.size()};
}

GuestWindow DomainMachine::mailbox() const {
    return {mailbox_.data(), mailbox_.size()};
}

bool DomainMachine::resets_vector_state() const {
    return operation_ == HATCHERY_READY;
}

bool DomainMachine::has_exited() const {
    auto* rung = reinterpret_cast<uint32_t*>(mailbox_.data() + HATCHERY_MAILBOX_RUNG);
    return std::atomic_ref(*rung).load(std::memory_order_acquire) == answered_ + 1;
}

Status DomainMachine::resume() {
    if (exited_) {
        const uint32_t command =
            resets_vector_state() ? HATCHERY_MAILBOX_RESET : HATCHERY_MAILBOX_CONTINUE;
        mailbox().write(HATCHERY_MAILBOX_COMMAND, bytes_of(command));
        answered_++;
        exited_ = false;
        auto* answered = reinterpret_cast<uint32_t*>(mailbox_.data() + HATCHERY_MAILBOX_ANSWERED);
        std::atomic_ref(*answered).store(answered_, std::memory_order_release);
        /* Before its first run the guest does not wait yet: it finds the answer there. */
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

Result<bool> DomainMachine::wait_for_exit(int64_t deadline) {
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

Result<Exit> DomainMachine::run(int64_t deadline) {
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

Result<Exit> DomainMachine::interrupt() {
    if (Status failed = domain_->pause()) {
        return end_or(*failed);
    }
    return has_exited() ? classify() : Exit::kInterrupted;
}

int64_t DomainMachine::cpu_now() {
    auto state = domain_->state();
    if (state.ok()) {
        cpu_nanoseconds_ = state.value().cpu_nanoseconds;
    }
    return cpu_nanoseconds_;
}

}  // namespace hatchery
