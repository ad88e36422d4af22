/* One virtual machine over a snapshot, whatever the hypervisor: run, rewind, capture. */
#ifndef HATCHERY_MACHINE_H
#define HATCHERY_MACHINE_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "../../images/abi/hatchery.h"
#include "guest_memory.h"
#include "result.h"
#include "snapshot.h"

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
    kUnconfigured = HATCHERY_UNCONFIGURED,
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

/* What a machine has in use of its memory, in pages. */
struct MemoryUse {
    size_t dirty; /* written, by the guest or for it, since it was made or rewound */
    size_t used;  /* these, and those that what it was made from has filled */
};

/* Which pages count as written: all of them, of a large page the whole, or only those that are not
 * as they were before, which takes comparing each. */
enum class Written { kAll, kChanged };

/* `0x…`, for a crash's reason. */
std::string hexadecimal(uint64_t value);

/*
 * What all drivers' machines have in common: the channel of the ABI, and what a guest says with a
 * hypercall. Not synchronised: one thread at a time, any thread. Destroying it ends the virtual
 * machine.
 */
class Machine {
  public:
    Machine() = default;
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    virtual ~Machine() = default;

    /* Before the first run of a cold machine, and after kUnconfigured: fills the control block with
     * time and entropy. */
    Status hand_over_boot() { return write_control(0, {}); }

    /*
     * Before a run that answers a hypercall or starts a request: fills the control block and, with
     * `bytes` (at most HATCHERY_REQUEST_CAPACITY), the request window.
     */
    Status hand_over(enum hatchery_resume reason, std::span<const uint8_t> bytes);

    /*
     * Runs the vCPU until it exits or CLOCK_MONOTONIC passes `deadline` (nanoseconds): then the
     * result is kInterrupted, the vCPU does not run, and the next `run` goes on.
     */
    virtual Result<Exit> run(int64_t deadline) = 0;

    /*
     * Makes memory and registers those of the snapshot again. The result is what was in use before,
     * of which the dirty pages, those that had changed, were copied; nothing, and nothing done,
     * where the machine must not be used again: its last exit was not an exact doorbell, or it has
     * written more than `page_limit` pages.
     */
    virtual Result<std::optional<MemoryUse>> rewind(size_t page_limit) = 0;

    /* After kReady or kUnconfigured: completes the doorbell and takes a snapshot. */
    virtual Result<std::shared_ptr<Snapshot>> capture() = 0;

    /*
     * Right after `capture` of a guest at kReady: makes this machine one of that snapshot's, as if
     * it had been created from it to be rewound. False, and nothing done, where the driver has no
     * such thing, or such a machine would be worse than a new one.
     */
    virtual Result<bool> join_captured() { return false; }

    /* Pages that the guest has written since the machine was created; -1: no record is kept. */
    virtual Result<int64_t> written_pages() = 0;

    /* What it has in use; nothing where no record is kept. Not while it runs. */
    virtual Result<std::optional<MemoryUse>> memory_use(Written written) = 0;

    /* For good: what it had in use at last, where that is known. Then it is only to be destroyed. */
    virtual std::optional<MemoryUse> finish() {
        auto use = memory_use(Written::kChanged);
        return use.ok() ? use.value() : std::nullopt;
    }

    /* After its first answer: tells the snapshot which pages that took, if it keeps the record. */
    virtual void teach_snapshot() {}

    /*
     * Processor time of the guest, in nanoseconds from any start; what it used is the difference of
     * two calls around `run`s on one thread. Not while it runs.
     */
    virtual int64_t cpu_now() = 0;

    /* Copies `into.size()` bytes at `offset` of the channel; false where they are not all in it. */
    bool read_channel(size_t offset, std::span<uint8_t> into) const;

    /* After kCrash. */
    const Crash& crash() const { return crash_; }

    /* Bytes in the response window, as the guest said at its last exit; checked. */
    uint32_t response_bytes() const { return response_bytes_; }
    /* The same of the log window. The guest has been told that they are collected. */
    uint32_t log_bytes() const { return log_bytes_; }

  protected:
    /* The channel in the guest's memory: HATCHERY_CHANNEL_BYTES. */
    virtual GuestWindow channel() const = 0;

    /* This class wrote so many bytes at this offset of the channel: for the record of a rewind. */
    virtual void host_wrote(size_t channel_offset, size_t bytes) = 0;

    /*
     * What a doorbell means: the hypercall of that number, or kCrash where the ABI has none or the
     * control block is wrong. Copies the guest's part of the control block.
     */
    Exit classify_operation(uint32_t operation);

    /* Ends the guest: keeps the reason, its registers and what it logged before; kCrash. */
    Exit crashed(std::string reason);

    /* Registers of the stopped vCPU, for the report of a crash; fills what is known. */
    virtual void read_registers(Crash& crash) = 0;

  private:
    Status write_control(uint32_t reason, std::span<const uint8_t> bytes);
    /* Copies the guest's part of the control block; false where a length is beyond its window. */
    bool read_control();
    void write_channel(size_t offset, std::span<const uint8_t> bytes);

    uint32_t response_bytes_ = 0;
    uint32_t log_bytes_ = 0;
    Crash crash_;
};

}  // namespace hatchery

#endif
