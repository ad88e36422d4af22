#include "process_snapshot.h"

#include <sys/mman.h>

#include <algorithm>
#include <vector>

#include "../machine/guest_memory.h"
#include "process_machine.h"

namespace hatchery {
namespace {

class PlanBuilder {
  public:
    PlanBuilder(uint64_t entry, bool notifies) {
        plan_.entry = entry;
        plan_.notifies = notifies;
    }

    /* Pages that contents reach come from the file, those behind them are zeroes of the guest's own. */
    void add(const Placement& placement, std::span<const Content> contents, int descriptor) {
        const uint64_t start = placement.physical_address;
        const uint64_t bytes = placement.pages * placement.page_bytes();
        uint64_t filled = 0;
        for (const Content& content : contents) {
            const uint64_t end = content.physical_address + content.bytes.size();
            if (content.physical_address < start + bytes && end > start) {
                filled = std::max(filled, std::min(end - start, bytes));
            }
        }
        filled = (filled + HATCHERY_PAGE_BYTES - 1) / HATCHERY_PAGE_BYTES * HATCHERY_PAGE_BYTES;
        const uint32_t protection =
            PROT_READ | (placement.writable ? PROT_WRITE : 0) | (placement.executable ? PROT_EXEC : 0);
        add({placement.virtual_address, filled, start, protection, descriptor});
        add({placement.virtual_address + filled, bytes - filled, 0, protection, -1});
    }

    bool fits() const { return fits_; }
    const struct guest_plan& plan() const { return plan_; }

  private:
    void add(const struct guest_mapping& mapping) {
        if (mapping.bytes == 0) {
            return;
        }
        if (plan_.count == GUEST_MAPPINGS || mapping.address + mapping.bytes > GUEST_END) {
            fits_ = false;
            return;
        }
        plan_.mappings[plan_.count++] = mapping;
    }

    struct guest_plan plan_ = {};
    bool fits_ = true;
};

/* A sealed file of `bytes`, with these contents. */
Result<MemoryFile> file_of(size_t bytes, std::span<const Content> contents) {
    auto file = MemoryFile::create(bytes);
    if (!file.ok()) {
        return file;
    }
    Status failed;
    for (const Content& content : contents) {
        if (!failed) {
            failed = file.value().write(content.physical_address, content.bytes);
        }
    }
    if (!failed) {
        failed = file.value().seal();
    }
    if (failed) {
        return *failed;
    }
    return file;
}

}  // namespace

Result<std::shared_ptr<Snapshot>> ColdSnapshot::load(std::shared_ptr<const Spawner> spawner,
                                                     const LoadPlan& plan, bool notifies) {
    PlanBuilder builder(plan.entry, notifies);
    for (const Placement& placement : plan.memory.placements) {
        /* Each instance has a channel of its own, which it shares with the host. */
        if (placement.physical_address != plan.channel) {
            builder.add(placement, plan.memory.contents, GUEST_MEMORY);
        } else if (placement.virtual_address != HATCHERY_CHANNEL_ADDRESS ||
                   placement.pages * placement.page_bytes() != HATCHERY_CHANNEL_BYTES) {
            return Failure{"load", EINVAL};
        }
    }
    for (const Placement& placement : plan.shared.placements) {
        builder.add(placement, plan.shared.contents, GUEST_SHARED);
    }
    if (!builder.fits()) {
        return Failure{"load", EINVAL};
    }
    auto memory = file_of(plan.memory.bytes, plan.memory.contents);
    if (!memory.ok()) {
        return memory.failure();
    }
    auto shared = file_of(plan.shared.bytes, plan.shared.contents);
    if (!shared.ok()) {
        return shared.failure();
    }
    const Content whole = {0, bytes_of(builder.plan())};
    auto file = file_of(sizeof(struct guest_plan), {&whole, 1});
    if (!file.ok()) {
        return file.failure();
    }
    auto snapshot = std::make_shared<ColdSnapshot>();
    snapshot->spawner_ = std::move(spawner);
    snapshot->plan_ = std::move(file.value());
    snapshot->memory_ = std::move(memory.value());
    snapshot->shared_ = std::move(shared.value());
    snapshot->memory_bytes_ = plan.memory.bytes;
    return std::shared_ptr<Snapshot>(std::move(snapshot));
}

Result<std::unique_ptr<Machine>> ColdSnapshot::create_machine(bool) {
    const int files[] = {plan_.descriptor(), memory_.descriptor(), shared_.descriptor()};
    auto guest = GuestProcess::boot(spawner_, files);
    if (!guest.ok()) {
        return guest.failure();
    }
    return std::unique_ptr<Machine>(
        std::make_unique<ProcessMachine>(std::move(guest.value()), memory_bytes_));
}

Result<std::unique_ptr<Machine>> ReadySnapshot::create_machine(bool) {
    auto guest = zygote_->fork();
    if (!guest.ok()) {
        return guest.failure();
    }
    return std::unique_ptr<Machine>(
        std::make_unique<ProcessMachine>(std::move(guest.value()), memory_bytes_));
}

}  // namespace hatchery
