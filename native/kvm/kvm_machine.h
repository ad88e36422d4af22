/* One virtual machine of KVM's. */
#ifndef HATCHERY_KVM_MACHINE_H
#define HATCHERY_KVM_MACHINE_H

#include <cstdint>
#include <memory>
#include <string>

#include "../machine/descriptor.h"
#include "../machine/machine.h"
#include "../machine/page_set.h"
#include "kvm_snapshot.h"
#include "run_mapping.h"
#include "watchdog.h"

namespace hatchery {

/*
 * Parts of a rewind that a test can leave out, to prove that another test notices
 * (HATCHERY_TEST_HOOKS). Bits of KvmMachine::omit.
 */
enum RewindPart : uint32_t {
    kOmitGuestPages = 1u << 0,
    kOmitHostPages = 1u << 1,
    kOmitGeneralRegisters = 1u << 2,
    kOmitSpecialRegisters = 1u << 3,
    kOmitEvents = 1u << 4,
    kOmitVectorState = 1u << 5,
    kOmitExitCheck = 1u << 6,
};

class KvmMachine final : public Machine {
  public:
    /* `keep_log`: keep the record of written pages that `rewind` and `capture` need. */
    static Result<std::unique_ptr<KvmMachine>> create(std::shared_ptr<KvmSnapshot> snapshot,
                                                      bool keep_log);

    Result<Exit> run(int64_t deadline) override;
    Result<std::optional<MemoryUse>> rewind(size_t page_limit) override;
    Result<std::shared_ptr<Snapshot>> capture() override;
    Result<bool> join_captured() override;
    Result<int64_t> written_pages() override;
    Result<std::optional<MemoryUse>> memory_use(Written written) override;
    void teach_snapshot() override;
    /* The calling thread's: it is the one that runs the vCPU. */
    int64_t cpu_now() override;

#ifdef HATCHERY_TEST_HOOKS
    uint32_t omit = 0;
    /* Makes the next run stop right behind the resume stub's XRSTOR, by kProbe. */
    Status probe_next();
    int vcpu() const { return vcpu_.get(); }
    const uint8_t* memory() const { return memory_.bytes(); }
    const KvmSnapshot& snapshot() const { return *snapshot_; }
#endif

  private:
    explicit KvmMachine(std::shared_ptr<KvmSnapshot> snapshot);
    Status create_vcpu();
    Status add_memory(bool keep_log);
    Status add_slot(uint32_t slot, uint32_t flags, uint64_t physical_address, const uint8_t* bytes,
                    size_t size);
    Result<RunMapping::Use> use_run();
    void set_registers(struct kvm_run& run);
    /* Completes the doorbell that the last exit was about, without running the guest. */
    Status complete_exit();
    Exit classify(const struct kvm_run& run);
    Exit classify_store(const struct kvm_run& run);
    void read_registers(Crash& crash) override;
    GuestWindow channel() const override;
    void host_wrote(size_t channel_offset, size_t bytes) override;
    /* Pages that were written, or may have been. */
    struct WrittenPages {
        PageSet recorded;
        PageSet large; /* of those that large pages consist of, what the snapshot has not filled */

        size_t count() const { return recorded.count() + large.count(); }
    };
    /* By the guest, ever: KVM's log, and what the kernel has memory for. */
    Result<WrittenPages> guest_writes() const;
    Status add_large(PageSet& pages) const;
    /* Adds the pages that Machine has written since the last rewind. */
    void add_host_writes(PageSet& pages) const;
    /* Both. */
    Result<WrittenPages> all_writes() const;
    /* Takes out the pages that are as in the snapshot. */
    void keep_changed(WrittenPages& pages) const;
    MemoryUse use_of(const WrittenPages& dirty) const;
    bool omitted(RewindPart part) const;

    std::shared_ptr<KvmSnapshot> snapshot_;
    /* What its memory is a view of, where it has joined another snapshot since. */
    std::shared_ptr<KvmSnapshot> view_of_;
    /* What the last exit was captured as. */
    std::weak_ptr<KvmSnapshot> captured_;
    /* Order matters: the vCPU goes before the VM, the VM before its memory. */
    MemoryViews::View memory_;
    Descriptor vm_;
    Descriptor vcpu_;
    RunMapping run_;
    bool keeps_log_ = false;
    /* By Machine, since the last rewind; of the channel only: a set of all memory would make glibc
     * grow its heap with each machine, by an mprotect that calls every machine's MMU notifier. */
    PageSet host_wrote_{HATCHERY_CHANNEL_BYTES};
    bool exact_exit_ = true; /* the last exit left nothing pending in the vCPU */
    bool set_registers_next_ = true;
    bool taught_ = false;
};

}  // namespace hatchery

#endif
