/* One virtual machine of Xen's, in a PV domain that its image's own entry sets up. */
#ifndef HATCHERY_XEN_PV_MACHINE_H
#define HATCHERY_XEN_PV_MACHINE_H

#include <memory>
#include <string>

#include "domain_machine.h"
#include "pv_snapshot.h"

namespace hatchery {

/*
 * The image runs as guest user mode, which Xen lets make no hypercalls; under it, images/kernel/xen
 * speaks with this class by the mailbox. It cannot be rewound or captured; see PvSnapshot.
 */
class PvMachine final : public DomainMachine {
  public:
    /*
     * `domain` is built and paused. Its pages from `mailbox_page` on are the mailbox and the
     * channel. Drops the domain's builder, which knows which pages of the machine they are.
     */
    static Result<std::unique_ptr<Machine>> attach(std::shared_ptr<PvSnapshot> snapshot,
                                                   std::unique_ptr<Domain> domain,
                                                   xen_pfn_t mailbox_page);

    /* Nothing: a PV machine must not be used again. */
    Result<std::optional<MemoryUse>> rewind(size_t page_limit) override;
    /* ENOTSUP. */
    Result<std::shared_ptr<Snapshot>> capture() override;
    /* -1, and nothing: there is no record. */
    Result<int64_t> written_pages() override;
    Result<std::optional<MemoryUse>> memory_use(Written written) override;

  private:
    PvMachine(std::shared_ptr<PvSnapshot> snapshot, std::unique_ptr<Domain> domain,
              std::span<uint8_t> shared, std::span<const uint8_t> console);
    void host_wrote(size_t, size_t) override {}
    std::string last_words() const override;

    /* Its file is what the builder read from. */
    const std::shared_ptr<PvSnapshot> snapshot_;
    const std::span<const uint8_t> console_;
};

}  // namespace hatchery

#endif
