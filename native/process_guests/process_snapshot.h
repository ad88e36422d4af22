/* What processes are made from: an image's pages, or a process that stands at its snapshot point. */
#ifndef HATCHERY_PROCESS_GUESTS_PROCESS_SNAPSHOT_H
#define HATCHERY_PROCESS_GUESTS_PROCESS_SNAPSHOT_H

#include <memory>

#include "../machine/load_plan.h"
#include "../machine/memory_file.h"
#include "../machine/snapshot.h"
#include "guest_process.h"

namespace hatchery {

/* Each machine is a launcher that was started for it. */
class ColdSnapshot final : public Snapshot {
  public:
    /* `notifies`: the kernel has what forks are granted by. EINVAL: more than a launcher can map. */
    static Result<std::shared_ptr<Snapshot>> load(std::shared_ptr<const Spawner> spawner,
                                                  const LoadPlan& plan, bool notifies);

    size_t memory_bytes() const override { return memory_bytes_; }
    Result<std::unique_ptr<Machine>> create_machine(bool keep_log) override;

  private:
    std::shared_ptr<const Spawner> spawner_;
    MemoryFile plan_;
    MemoryFile memory_;
    MemoryFile shared_;
    size_t memory_bytes_ = 0;
};

/* Each machine is a fork of the process that it owns, which never runs. */
class ReadySnapshot final : public Snapshot {
  public:
    ReadySnapshot(std::unique_ptr<GuestProcess> zygote, size_t memory_bytes)
        : zygote_(std::move(zygote)), memory_bytes_(memory_bytes) {}

    size_t memory_bytes() const override { return memory_bytes_; }
    Result<std::unique_ptr<Machine>> create_machine(bool keep_log) override;

  private:
    const std::unique_ptr<GuestProcess> zygote_;
    const size_t memory_bytes_;
};

}  // namespace hatchery

#endif
