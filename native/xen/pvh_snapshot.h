/* Memory from which PVH machines start. */
#ifndef HATCHERY_XEN_PVH_SNAPSHOT_H
#define HATCHERY_XEN_PVH_SNAPSHOT_H

#include <memory>
#include <string>

#include "../../images/abi/hatchery_xen.h"
#include "../machine/load_plan.h"
#include "../machine/page_set.h"
#include "../machine/snapshot.h"
#include "empty_shells.h"
#include "guest_layout.h"
#include "hypervisor.h"

namespace hatchery {

/*
 * What all snapshots of one loaded image share.
 */
struct PvhOrigin {
    Hypervisor& hypervisor;
    std::string name; /* of its domains; see Domain::create */
    std::shared_ptr<const GuestLayout> layout;
    /* Empty domains kept ready for its machines; may be none. */
    std::unique_ptr<EmptyShells::Reservation> shells;
};

/*
 * A machine's memory, of which the mailbox's page is one. There is nothing else: the vCPU's context
 * is always the same (vcpu_context.h). Immutable; each machine is a domain with a copy.
 */
class PvhSnapshot final : public Snapshot, public std::enable_shared_from_this<PvhSnapshot> {
  public:
    /* An image that has not run. `plan` is sound for kStubBytes. */
    static Result<std::shared_ptr<PvhSnapshot>> load(std::shared_ptr<const PvhOrigin> origin,
                                                     const LoadPlan& plan);

    /*
     * A ready snapshot: `memory` of a machine that was created from this one, and whose pages
     * `written` (of all its guest physical memory) may have changed since. `frame` is what ring 3
     * goes on with.
     */
    Result<std::shared_ptr<PvhSnapshot>> capture(std::span<const uint8_t> memory,
                                                 const PageSet& written,
                                                 const struct hatchery_frame& frame) const;

    const PvhOrigin& origin() const { return *origin_; }
    const GuestLayout& layout() const { return *origin_->layout; }
    size_t memory_bytes() const override { return layout().memory_bytes(); }
    Result<std::unique_ptr<Machine>> create_machine(bool keep_log) override;

    /* The memory as it was taken. */
    std::span<const uint8_t> memory() const { return {memory_.bytes(), memory_.size()}; }
    /* Pages of it that are not all zero, in a set of all guest physical memory. */
    const PageSet& filled() const { return filled_; }

  private:
    explicit PvhSnapshot(std::shared_ptr<const PvhOrigin> origin);
    Status allocate();
    void write_stub(const struct hatchery_frame& frame);
    /* An empty domain that has become a copy of this. */
    Result<std::unique_ptr<Domain>> create_domain() const;

    std::shared_ptr<const PvhOrigin> origin_;
    Mapping memory_;
    PageSet filled_; /* pages of the memory that are not all zero */
};

}  // namespace hatchery

#endif
