/* One virtual machine of Xen's, in a PVH domain that Dom0 built. */
#ifndef HATCHERY_XEN_PVH_MACHINE_H
#define HATCHERY_XEN_PVH_MACHINE_H

#include <cstdint>
#include <memory>

#include "../machine/page_set.h"
#include "domain_machine.h"
#include "pvh_snapshot.h"

namespace hatchery {

/*
 * Parts of a rewind that a test can leave out, to prove that another test notices
 * (HATCHERY_TEST_HOOKS). Bits of PvhMachine::omit.
 */
enum PvhRewindPart : uint32_t {
    kOmitGuestPages = 1u << 0,
    kOmitHostPages = 1u << 1,
    kOmitGeneralRegisters = 1u << 2,
    kOmitVectorState = 1u << 3,
    kOmitExitCheck = 1u << 4,
    kOmitDomainCheck = 1u << 5,
};

class PvhMachine final : public DomainMachine {
  public:
    /* `domain` is a copy of the snapshot, paused. `keeps_log`: and has its dirty log enabled. */
    PvhMachine(std::shared_ptr<PvhSnapshot> snapshot, std::unique_ptr<Domain> domain,
               bool keeps_log);

    Result<std::optional<MemoryUse>> rewind(size_t page_limit) override;
    Result<std::shared_ptr<Snapshot>> capture() override;
    Result<int64_t> written_pages() override;
    Result<std::optional<MemoryUse>> memory_use(Written written) override;

#ifdef HATCHERY_TEST_HOOKS
    uint32_t omit = 0;
    Domain& domain() { return *domain_; }
    const PvhSnapshot& snapshot() const { return *snapshot_; }
#endif

  private:
    void host_wrote(size_t channel_offset, size_t bytes) override;
    bool resets_vector_state() const override;
    /* Whether the domain still has what it was made with, and nothing more, so that a rewind of
     * its memory undoes all that happened to it. False for one that is gone. */
    Result<bool> is_as_made() const;
    /* False where a page of the shared region is written: nothing may. */
    Result<bool> refresh_written();
    void restore_frame();
    MemoryUse use_of(const PageSet& dirty) const;
    bool omitted(PvhRewindPart part) const;

    const std::shared_ptr<PvhSnapshot> snapshot_;
    const bool keeps_log_;
    bool rewound_ = false; /* since then, what the log has may be of an earlier request */
    PageSet written_;    /* by the guest: Xen's log, without the mailbox */
    PageSet host_wrote_; /* by Machine, since the last rewind */
};

}  // namespace hatchery

#endif
