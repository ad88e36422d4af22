#include "pvh_machine.h"

namespace hatchery {

PvhMachine::PvhMachine(std::shared_ptr<PvhSnapshot> snapshot, std::unique_ptr<Domain> domain,
                       bool keeps_log)
    : DomainMachine(
          std::move(domain),
          domain->memory().subspan(kMailboxPage * HATCHERY_PAGE_BYTES, HATCHERY_PAGE_BYTES),
          domain->memory().subspan(snapshot->layout().channel(), HATCHERY_CHANNEL_BYTES),
          Start::kAnswersReady),
      snapshot_(std::move(snapshot)),
      keeps_log_(keeps_log),
      written_(domain_->memory().size()),
      host_wrote_(domain_->memory().size()) {}

void PvhMachine::host_wrote(size_t channel_offset, size_t bytes) {
    host_wrote_.add_bytes(snapshot_->layout().channel() + channel_offset, bytes);
}

bool PvhMachine::resets_vector_state() const {
    return DomainMachine::resets_vector_state() && !omitted(kOmitVectorState);
}

}  // namespace hatchery
