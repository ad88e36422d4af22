/* Memory and vCPU state from which KVM's machines start. */
#ifndef HATCHERY_KVM_SNAPSHOT_H
#define HATCHERY_KVM_SNAPSHOT_H

#include <linux/kvm.h>

#include <memory>

#include "../machine/descriptor.h"
#include "../machine/load_plan.h"
#include "../machine/page_set.h"
#include "../machine/page_tables.h"
#include "../machine/result.h"
#include "../machine/snapshot.h"
#include "kvm_device.h"
#include "learned_pages.h"
#include "../machine/memory_file.h"
#include "memory_views.h"
#include "shared_region.h"

namespace hatchery {

/* Registers that a rewind sets; the vector state is the resume stub's work. */
struct RegisterState {
    struct kvm_regs general;
    struct kvm_sregs special;
    struct kvm_vcpu_events events;
};

/*
 * LARGE PAGES. What lies behind all that a snapshot has filled is empty in every machine, and a
 * guest that comes to use it uses much of it. A fault for each page would be dear: on kvm-pvm 10 to
 * 20 µs. So that part is anonymous memory in pages of 2 MiB, and a memory slot of its own without a
 * record of written pages, for KVM maps no large page where it keeps one. What has been written
 * there the kernel's pagemap tells, to 2 MiB, and then the pages themselves: those that are not
 * zero.
 *
 * A sealed memory file and registers; immutable, and shared by all machines that were created from
 * it, each of which maps the file copy-on-write.
 */
class KvmSnapshot final : public Snapshot, public std::enable_shared_from_this<KvmSnapshot> {
  public:
    /* A cold snapshot: an image that has not run. */
    static Result<std::shared_ptr<KvmSnapshot>> load(std::shared_ptr<const KvmDevice> device,
                                                     const LoadPlan& plan);

    /*
     * A ready snapshot: `memory` (the machine's view) and `registers` of a machine that was created
     * from this snapshot and has written `written` since. The next machines resume at
     * registers.general.rip, by way of the resume stub.
     */
    Result<std::shared_ptr<KvmSnapshot>> capture(const uint8_t* memory, const PageSet& written,
                                                 const RegisterState& registers) const;

    Result<std::shared_ptr<Snapshot>> configure(std::span<const Content> contents) const override;

    const KvmDevice& device() const { return *device_; }
    const PageTables& tables() const { return *tables_; }
    size_t memory_bytes() const override { return memory_bytes_; }
    Result<std::unique_ptr<Machine>> create_machine(bool keep_log) override;
    /* Memory for one machine, with large pages where it can have some. The machine holds this
     * snapshot for as long as it has it. */
    Result<MemoryViews::View> take_memory();
    /* The memory as it was taken; read-only. */
    const uint8_t* memory() const { return view_.bytes(); }
    /* Pages of it that have been filled; all others are zero. */
    const PageSet& filled() const { return filled_; }
    /* The read-only region: its host memory, nullptr if there is none. */
    const SharedRegion* shared() const { return shared_.get(); }
    /* Where the doorbell's page is in guest physical memory, with nothing behind it. */
    uint64_t doorbell() const { return doorbell_; }
    /* Where the channel is in guest physical memory. */
    uint64_t channel() const { return channel_; }
    const RegisterState& registers() const { return registers_; }

    /*
     * Pages that machines of this snapshot are known to write: new machines get them by copying
     * before they run, which costs less than a fault for each. Any thread.
     */
    PageSet usually_written() const { return written_->usual(); }
    void learn_written(const PageSet& written);
    /* Whether it has yet to learn: then its next machine keeps the record. */
    bool wants_lesson() const { return ready_ && written_->wants_lesson(); }

  private:
    explicit KvmSnapshot(size_t memory_bytes);
    /* One whose memory is a file that is still to be written. */
    static Result<std::shared_ptr<KvmSnapshot>> create(size_t memory_bytes);
    /* One with the same machine around its memory, of which nothing is written yet. */
    Result<std::shared_ptr<KvmSnapshot>> successor() const;
    /* Writes to the file, and remembers that these pages are not all zero. */
    Status put(uint64_t offset, std::span<const uint8_t> bytes);
    Status put(std::span<const Content> contents);
    Status put_resume_stub(uint64_t target);
    /* Where a machine's large pages may begin; the memory's size where it can have none. */
    size_t large_from() const;
    /* Makes the file immutable and maps it for reading. */
    Status seal();

    std::shared_ptr<const KvmDevice> device_;
    std::shared_ptr<const PageTables> tables_;
    std::shared_ptr<const SharedRegion> shared_;
    size_t memory_bytes_;
    uint64_t doorbell_ = 0;
    uint64_t channel_ = 0;
    /* What is mapped in large pages of a machine's own memory reaches from here to its end. */
    uint64_t heap_ = UINT64_MAX;
    MemoryFile file_;
    Mapping view_;
    PageSet filled_; /* pages that are not all zero */
    MemoryViews views_;
    RegisterState registers_ = {};
    bool ready_ = false;

    /* What its machines write. Those of all snapshots that were configured from one learn together
     * what a start writes. */
    std::shared_ptr<LearnedPages> written_;
    /* What a request writes, of whatever function: a guess for a snapshot that has not served. */
    std::shared_ptr<LearnedPages> written_by_requests_;
    bool configured_ = false;
};

}  // namespace hatchery

#endif
