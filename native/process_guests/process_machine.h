/* A guest in a process, as a machine. */
#ifndef HATCHERY_PROCESS_GUESTS_PROCESS_MACHINE_H
#define HATCHERY_PROCESS_GUESTS_PROCESS_MACHINE_H

#include <memory>

#include "../machine/machine.h"
#include "guest_process.h"

namespace hatchery {

class ProcessMachine final : public Machine {
  public:
    ProcessMachine(std::unique_ptr<GuestProcess> guest, size_t memory_bytes)
        : guest_(std::move(guest)), memory_bytes_(memory_bytes) {}

    Result<Exit> run(int64_t deadline) override;
    /* A process cannot be rewound exactly: refused. */
    Result<std::optional<MemoryUse>> rewind(size_t page_limit) override;
    /* A fork of it, which stands where it does; it may be run on. */
    Result<std::shared_ptr<Snapshot>> capture() override;
    Result<int64_t> written_pages() override;
    Result<std::optional<MemoryUse>> memory_use(Written written) override;
    std::optional<MemoryUse> finish() override;
    int64_t cpu_now() override;

  private:
    GuestWindow channel() const override;
    void host_wrote(size_t, size_t) override {}
    void read_registers(Crash& crash) override;
    MemoryUse use_of(const struct session_message& counted) const;
    Exit classify(const struct guest_message& message);
    /* It has gone: what is to be said of that. */
    Result<Exit> end();

    std::unique_ptr<GuestProcess> guest_;
    const size_t memory_bytes_;
    bool running_ = false;
    bool at_snapshot_ = false;
    bool ended_ = false; /* it crashed: nothing more is read of it */
    int64_t cpu_at_end_ = 0;
    std::optional<struct guest_message> fault_;
};

}  // namespace hatchery

#endif
