/* What machines start from, whatever the hypervisor. */
#ifndef HATCHERY_MACHINE_SNAPSHOT_H
#define HATCHERY_MACHINE_SNAPSHOT_H

#include <cstddef>
#include <memory>
#include <span>

#include "load_plan.h"
#include "result.h"

namespace hatchery {

class Machine;

/*
 * Memory and processor state from which machines start; immutable, and always owned by a
 * shared_ptr, which its machines hold too. A driver's own class has a function that makes a cold
 * one (an image that has not run) from a LoadPlan; Machine::capture makes a ready one.
 */
class Snapshot {
  public:
    Snapshot() = default;
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;
    virtual ~Snapshot() = default;

    /* A machine's own memory; read-only regions that all machines share are not counted. */
    virtual size_t memory_bytes() const = 0;

    /*
     * A machine over a copy-on-write view, or a copy, of this. `keep_log`: keep the record of
     * written pages that Machine::rewind and Machine::capture need. Any thread, several at a time.
     */
    virtual Result<std::unique_ptr<Machine>> create_machine(bool keep_log) = 0;

    /*
     * Of one that was captured at UNCONFIGURED: a snapshot like it in memory of its own, read-only
     * regions too, with these contents in it. They lie in what the plan left for boot page and
     * configuration: the caller's to see to; what is not in the machine's own memory, or in the
     * driver's part of it, is refused (EINVAL). ENOTSUP: the driver cannot do it.
     */
    virtual Result<std::shared_ptr<Snapshot>> configure(std::span<const Content> contents) const {
        (void)contents;
        return Failure{"configure", ENOTSUP};
    }
};

}  // namespace hatchery

#endif
