#include "process_machine.h"

#include <algorithm>

#include "../machine/fault_reason.h"
#include "process_snapshot.h"

namespace hatchery {
Result<Exit> ProcessMachine::run(int64_t deadline) {
    at_snapshot_ = false;
    if (ended_) {
        return crashed("it has crashed before");
    }
    if (!running_) {
        if (const Status failed = guest_->resume()) {
            const int error = failed->error;
            if (error == EAGAIN) {
                ended_ = true;
                return crashed("it does not read what it is told");
            }
            return error == EPIPE || error == ECONNRESET ? end() : Result<Exit>(*failed);
        }
        running_ = true;
    }
    auto heard = guest_->listen(deadline);
    if (!heard.ok()) {
        return heard.failure();
    }
    const GuestNews& news = heard.value();
    switch (news.kind) {
        case GuestNews::Kind::kNothing:
            return Exit::kInterrupted;
        case GuestNews::Kind::kMessage:
            running_ = false;
            return classify(news.message);
        case GuestNews::Kind::kNonsense:
            ended_ = true;
            return crashed("a message that the launcher never sends");
        case GuestNews::Kind::kEnded:
            break;
    }
    return end();
}

Result<Exit> ProcessMachine::end() {
    ended_ = true;
    auto how = guest_->ending();
    if (!how.ok()) {
        return how.failure();
    }
    return crashed(how.value());
}

Exit ProcessMachine::classify(const struct guest_message& message) {
    Exit exit = Exit::kCrash;
    fault_ = message;
    if (message.kind == MESSAGE_DOORBELL) {
        exit = classify_operation(message.number);
    } else {
        exit = crashed(fault_reason({message.number, message.error_code, message.address}));
    }
    fault_.reset();
    ended_ = exit == Exit::kCrash;
    at_snapshot_ = exit == Exit::kReady;
    return exit;
}

void ProcessMachine::read_registers(Crash& crash) {
    if (fault_) {
        crash.has_registers = true;
        crash.instruction_pointer = fault_->instruction_pointer;
        crash.stack_pointer = fault_->stack_pointer;
    }
}

Result<std::optional<MemoryUse>> ProcessMachine::rewind(size_t) {
    return std::optional<MemoryUse>();
}

Result<std::shared_ptr<Snapshot>> ProcessMachine::capture() {
    if (!at_snapshot_) {
        return Failure{"capture", EINVAL};
    }
    auto zygote = guest_->capture();
    if (!zygote.ok()) {
        return zygote.failure();
    }
    return std::shared_ptr<Snapshot>(
        std::make_shared<ReadySnapshot>(std::move(zygote.value()), memory_bytes_));
}

/*
 * The kernel counts a fault for each page that is touched first: of a fork, for those that it writes,
 * and for runs of the image's that it reads. And it counts what is mapped.
 */
MemoryUse ProcessMachine::use_of(const struct session_message& counted) const {
    const size_t most = memory_bytes_ / HATCHERY_PAGE_BYTES;
    const size_t dirty = std::min<size_t>(counted.faults, most);
    return {dirty, std::clamp<size_t>(counted.pages, dirty, most)};
}

Result<int64_t> ProcessMachine::written_pages() {
    auto use = memory_use(Written::kAll);
    if (!use.ok()) {
        return use.failure();
    }
    return use.value() ? static_cast<int64_t>(use.value()->dirty) : -1;
}

Result<std::optional<MemoryUse>> ProcessMachine::memory_use(Written) {
    auto counted = guest_->use_now();
    if (!counted.ok()) {
        return counted.failure();
    }
    return counted.value() ? std::optional(use_of(*counted.value())) : std::nullopt;
}

std::optional<MemoryUse> ProcessMachine::finish() {
    /* The spawner hears of it with the end, which is waited for in any case. */
    guest_->end();
    const auto counted = guest_->use_at_end();
    return counted ? std::optional(use_of(*counted)) : std::nullopt;
}

int64_t ProcessMachine::cpu_now() {
    /* Of a process that is gone there is no clock: what was read last stays. */
    cpu_at_end_ = std::max(cpu_at_end_, guest_->cpu_now());
    return cpu_at_end_;
}

GuestWindow ProcessMachine::channel() const {
    return {guest_->channel(), HATCHERY_CHANNEL_BYTES};
}

}  // namespace hatchery
