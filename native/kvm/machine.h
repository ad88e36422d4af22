/* One virtual machine over a snapshot: create, run, rewind. */
#ifndef HATCHERY_KVM_MACHINE_H
#define HATCHERY_KVM_MACHINE_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "descriptor.h"
#include "guest_memory.h"
#include "page_set.h"
#include "snapshot.h"
#include "watchdog.h"

namespace hatchery {

/* Why a run ended: a hypercall (its number in the ABI), or one of these. */
enum class Exit : uint32_t {
    kReady = HATCHERY_READY,
    kRespond = HATCHERY_RESPOND,
    kLog = HATCHERY_LOG,
    kPull = HATCHERY_PULL,
    kPush = HATCHERY_PUSH,
    kFinish = HATCHERY_FINISH,
    kPanic = HATCHERY_PANIC,
    kCall = HATCHERY_CALL,
    kWait = HATCHERY_WAIT,
    kProbe = HATCHERY_PROBE,
    kCrash = 0x100,       /* a fault, or an exit that the ABI does not know */
    kInterrupted = 0x101, /* the time given to `run` is over; `run` goes on where it stopped */
    kCpuSpent = 0x102     /* the same, and its processor time is used up; MachineObject says so */
};

/* What is known of a crash. */
struct Crash {
    std::string reason;
    bool has_registers = false;
    uint64_t instruction_pointer = 0;
    uint64_t stack_pointer = 0;
};

/*
 * Parts of a rewind that a test can leave out, to prove that another test notices
 * (HATCHERY_TEST_HOOKS). Bits of Machine::omit.
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

/* Not synchronised: one thread at a time, any thread. */
class Machine {
  public:
    /* `keep_log`: keep the record of written pages that `rewind` and `capture` need. */
    static Result<std::unique_ptr<Machine>> create(std::shared_ptr<Snapshot> snapshot,
                                                   bool keep_log);

    /*
     * Before the first run of a cold machine: fills the control block with time and entropy.
     */
    Status hand_over_boot() { return write_control(0, {}); }

    /*
     * Before a run that answers a hypercall or starts a request: fills the control block and, with
     * `bytes` (at most HATCHERY_REQUEST_CAPACITY), the request window.
     */
    Status hand_over(enum hatchery_resume reason, std::span<const uint8_t> bytes);

    /* Runs the vCPU until it exits or CLOCK_MONOTONIC passes `deadline` (nanoseconds). */
    Result<Exit> run(int64_t deadline);

    /* After kCrash. */
    const Crash& crash() const { return crash_; }

    /* Copies `into.size()` bytes at `offset` of the channel; false where they are not all in it. */
    bool read_channel(size_t offset, std::span<uint8_t> into) const;

    /* Bytes in the response window, as the guest said at its last exit; checked. */
    uint32_t response_bytes() const { return response_bytes_; }
    /* The same of the log window. The guest has been told that they are collected. */
    uint32_t log_bytes() const { return log_bytes_; }

    /*
     * Makes memory and registers those of the snapshot again. The result is the number of pages
     * that it copied, or -1, and nothing done, where the machine must not be used again: its last
     * exit was not an exact doorbell, or it has written more than `page_limit` pages.
     */
    Result<int64_t> rewind(size_t page_limit);

    /* After kReady: completes the doorbell and takes a snapshot. */
    Result<std::shared_ptr<Snapshot>> capture();

    /* After its first answer: tells the snapshot which pages that took, if it keeps the record. */
    void teach_snapshot();

    /* Pages that the guest has written since the machine was created; -1: no record is kept. */
    Result<int64_t> written_pages();

    /* Where the channel is in guest physical memory; set once, before the first hand_over. */
    void set_channel(uint64_t physical_address) { channel_ = physical_address; }

#ifdef HATCHERY_TEST_HOOKS
    uint32_t omit = 0;
    /* Makes the next run stop right behind the resume stub's XRSTOR, by kProbe. */
    void probe_next();
    int vcpu() const {
        return vcpu_.get();
    }
    const uint8_t* memory() const {
        return memory_.bytes();
    }
    const Snapshot& snapshot() const {
        return *snapshot_;
    }
#endif

  private:
    explicit Machine(std::shared_ptr<Snapshot> snapshot);
    Status create_vcpu();
    Status add_memory(bool keep_log);
    Status add_slot(uint32_t slot, uint32_t flags, uint64_t physical_address, const uint8_t* bytes,
                    size_t size);
    void set_registers();
    /* Completes the doorbell that the last exit was about, without running the guest. */
    Status complete_exit();
    Exit classify();
    Exit classify_store();
    Exit crashed(std::string reason);
    Status write_control(uint32_t reason, std::span<const uint8_t> bytes);
    /* Copies the guest's part of the control block; false where a length is beyond its window. */
    bool read_control();
    GuestWindow channel() const;
    void write_channel(size_t offset, std::span<const uint8_t> bytes);
    Status refresh_written();
    bool omitted(RewindPart part) const;

    std::shared_ptr<Snapshot> snapshot_;
    /* Order matters: the vCPU goes before the VM, the VM before its memory. */
    Mapping memory_;
    Descriptor vm_;
    Descriptor vcpu_;
    Mapping run_mapping_;
    struct kvm_run* run_ = nullptr;
    bool keeps_log_ = false;
    uint64_t channel_ = 0;
    PageSet written_;        /* by the guest: KVM's log */
    PageSet host_wrote_;     /* by this class, since the last rewind */
    bool exact_exit_ = true; /* the last exit left nothing pending in the vCPU */
    bool set_registers_next_ = true;
    bool taught_ = false;
    uint32_t response_bytes_ = 0;
    uint32_t log_bytes_ = 0;
    Crash crash_;
};

}  // namespace hatchery

#endif
