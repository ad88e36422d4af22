/* One virtual machine of Xen's: a domain whose guest speaks by a mailbox (hatchery_xen.h). */
#ifndef HATCHERY_XEN_DOMAIN_MACHINE_H
#define HATCHERY_XEN_DOMAIN_MACHINE_H

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "../../images/abi/hatchery_xen.h"
#include "../machine/machine.h"
#include "domain.h"

namespace hatchery {

/* What PVH and PV have in common: running, and what an exit means. */
class DomainMachine : public Machine {
  public:
    Result<Exit> run(int64_t deadline) override;
    /* The vCPU's; where Xen does not tell, what it told last. */
    int64_t cpu_now() override;

  protected:
    /* What the vCPU does when it is let run for the first time. */
    enum class Start {
        kAnswersReady, /* its guest waits for the answer to a READY, or to what stands for one */
        kBoots,        /* it has made no exit yet */
    };

    /* `domain` is paused; the mailbox's page and the channel are its memory, mapped as long as it
     * lives. (A reference, so that a caller may name both in one call.) */
    DomainMachine(std::unique_ptr<Domain>&& domain, std::span<uint8_t> mailbox,
                  std::span<uint8_t> channel, Start start);

    GuestWindow channel() const override;
    void read_registers(Crash& crash) override;

    GuestWindow mailbox() const;
    struct hatchery_frame read_frame() const;
    /* Whether the answer to the last exit puts the vector state into its initial configuration. */
    virtual bool resets_vector_state() const;
    /* What the guest said before Xen ended the domain, for the report of a crash; may be empty. */
    virtual std::string last_words() const;

    const std::unique_ptr<Domain> domain_;
    uint32_t operation_ = HATCHERY_READY; /* the last exit's */
    bool exact_exit_ = true;              /* it was a doorbell, from which ring 3 can go on */

  private:
    /* Whether the guest has reported an exit that is not answered. Read anew each time: it is how
     * the vCPU, on another processor, tells that all else in the mailbox is there. */
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

    const std::span<uint8_t> mailbox_;
    const std::span<uint8_t> channel_;
    uint32_t answered_ = 0; /* how many exits of the domain were answered: its mailbox's field */
    bool started_ = false;
    bool exited_; /* the vCPU has made an exit that is to be answered */
    int64_t cpu_nanoseconds_ = 0;
};

}  // namespace hatchery

#endif
