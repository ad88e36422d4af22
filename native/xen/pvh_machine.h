/* One virtual machine of Xen's, in a PVH domain that Dom0 built. */
#ifndef HATCHERY_XEN_PVH_MACHINE_H
#define HATCHERY_XEN_PVH_MACHINE_H

#include <cstdint>
#include <memory>
#include <optional>

#include "../machine/machine.h"
#include "../machine/page_set.h"
#include "domain.h"
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

class PvhMachine final : public Machine {
  public:
    /* `domain` is a copy of the snapshot, paused. `keeps_log`: and has its dirty log enabled. */
    PvhMachine(std::shared_ptr<PvhSnapshot> snapshot, std::unique_ptr<Domain> domain,
               bool keeps_log);

    Result<Exit> run(int64_t deadline) override;
    Result<int64_t> rewind(size_t page_limit) override;
    Result<std::shared_ptr<Snapshot>> capture() override;
    Result<int64_t> written_pages() override;
    /* The vCPU's; where Xen does not tell, what it told last. */
    int64_t cpu_now() override;

#ifdef HATCHERY_TEST_HOOKS
    uint32_t omit = 0;
    Domain& domain() {
        return *domain_;
    }
    const PvhSnapshot& snapshot() const {
        return *snapshot_;
    }
#endif

  private:
    GuestWindow channel() const override;
    void host_wrote(size_t channel_offset, size_t bytes) override;
    void read_registers(Crash& crash) override;

    GuestWindow mailbox() const;
    struct hatchery_frame read_frame() const;
    /* Whether the stub has reported an exit that is not answered. Read anew each time: it is how
     * the stub, on another processor, tells that all else in the mailbox is there. */
    bool has_exited() const;
    /* Lets the vCPU run: with the answer to its last exit, or on from where it was paused. */
    Status resume();
    /* Waits until `deadline` at the longest; whether there is an exit now. */
    Result<bool> wait_for_exit(int64_t deadline);
    /* Stops the vCPU; an exit that came meanwhile, or kInterrupted. */
    Result<Exit> interrupt();
    /* The crash that it is when Xen has ended the domain, or somebody else has; else the failure
     * that made the caller ask, or nothing. */
    std::optional<Exit> look_for_end();
    Result<Exit> end_or(const Failure& failure);
    Exit classify();
    Exit classify_fault();
    /* Whether the domain still has what it was made with, and nothing more, so that a rewind of
     * its memory undoes all that happened to it. False for one that is gone. */
    Result<bool> is_as_made() const;
    /* False where a page of the shared region is written: nothing may. */
    Result<bool> refresh_written();
    void restore_frame();
    bool omitted(PvhRewindPart part) const;

    const std::shared_ptr<PvhSnapshot> snapshot_;
    const std::unique_ptr<Domain> domain_;
    const bool keeps_log_;
    PageSet written_;       /* by the guest: Xen's log, without the mailbox */
    PageSet host_wrote_;    /* by Machine, since the last rewind */
    uint32_t answered_ = 0; /* how many exits of the domain were answered: its mailbox's field */
    bool started_ = false;
    /* The vCPU has made an exit that is to be answered; at first that of the snapshot. */
    bool exited_ = true;
    uint32_t operation_ = HATCHERY_READY; /* that exit's */
    bool exact_exit_ = true;              /* it was a doorbell, from which ring 3 can go on */
    int64_t cpu_nanoseconds_ = 0;
};

}  // namespace hatchery

#endif
