#include "pv_machine.h"

#include <xen/io/console.h>

#include <algorithm>
#include <vector>

namespace hatchery {
namespace {

/* Maps pages of a PV domain that is being built, for its lifetime. */
Result<std::span<uint8_t>> map_for_life(Domain& domain, xen_pfn_t first, size_t count,
                                        Access access) {
    std::vector<xen_pfn_t> frames(count);
    for (size_t i = 0; i < count; i++) {
        frames[i] = xc_dom_p2m(domain.builder(), first + i);
        if (frames[i] == INVALID_MFN) {
            return Failure{"xc_dom_p2m", EFAULT};
        }
    }
    auto mapped = domain.map(frames, access);
    if (!mapped.ok()) {
        return mapped.failure();
    }
    const std::span<uint8_t> bytes(mapped.value().bytes(), mapped.value().size());
    domain.keep(std::move(mapped.value()));
    return bytes;
}

}  // namespace

PvMachine::PvMachine(std::shared_ptr<PvSnapshot> snapshot, std::unique_ptr<Domain> domain,
                     std::span<uint8_t> shared, std::span<const uint8_t> console)
    : DomainMachine(std::move(domain), shared.first(HATCHERY_PAGE_BYTES),
                    shared.subspan(HATCHERY_PAGE_BYTES), Start::kBoots),
      snapshot_(std::move(snapshot)),
      console_(console) {}

Result<std::unique_ptr<Machine>> PvMachine::attach(std::shared_ptr<PvSnapshot> snapshot,
                                                   std::unique_ptr<Domain> domain,
                                                   xen_pfn_t mailbox_page) {
    auto shared = map_for_life(*domain, mailbox_page,
                               1 + HATCHERY_CHANNEL_BYTES / HATCHERY_PAGE_BYTES, Access::kWrite);
    if (!shared.ok()) {
        return shared.failure();
    }
    /* Nothing else reads it: the domain has no console daemon. */
    auto console = map_for_life(*domain, domain->builder()->console_pfn, 1, Access::kRead);
    if (!console.ok()) {
        return console.failure();
    }
    domain->drop_builder();
    return std::unique_ptr<Machine>(
        new PvMachine(std::move(snapshot), std::move(domain), shared.value(), console.value()));
}

Result<std::optional<MemoryUse>> PvMachine::rewind(size_t) {
    return std::optional<MemoryUse>();
}

Result<std::shared_ptr<Snapshot>> PvMachine::capture() {
    return Failure{"capture of a PV domain", ENOTSUP};
}

Result<int64_t> PvMachine::written_pages() {
    constexpr int64_t kNoRecord = -1;
    return kNoRecord;
}

Result<std::optional<MemoryUse>> PvMachine::memory_use(Written) {
    return std::optional<MemoryUse>();
}

std::string PvMachine::last_words() const {
    struct xencons_interface ring;
    static_assert(sizeof ring <= HATCHERY_PAGE_BYTES);
    std::copy_n(console_.data(), sizeof ring, reinterpret_cast<uint8_t*>(&ring));
    const size_t count = std::min<size_t>(ring.out_prod, sizeof ring.out);
    std::string words;
    for (size_t i = ring.out_prod - count; i != ring.out_prod; i++) {
        const char letter = ring.out[i % sizeof ring.out];
        if (letter >= ' ' && letter <= '~') {
            words += letter;
        }
    }
    return words;
}

}  // namespace hatchery
