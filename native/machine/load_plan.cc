#include "load_plan.h"

#include <algorithm>

namespace hatchery {
namespace {

/* What the addresses of the drivers leave room for, and more than any function needs. */
constexpr uint64_t kMostBytes = 64ull << 30;
/* The end of the lower half of a 48-bit address space. */
constexpr uint64_t kVirtualEnd = 1ull << 47;
/* From the host's own code up to the doorbell; nothing of a plan's is there. */
constexpr uint64_t kHostStart = HATCHERY_RESUME_ADDRESS;
constexpr uint64_t kHostEnd = HATCHERY_DOORBELL_ADDRESS + HATCHERY_PAGE_BYTES;

bool is_sound(const Placement& placement, const Extent& extent, bool may_be_writable) {
    const uint64_t page = placement.page_bytes();
    if (placement.virtual_address % page != 0 || placement.physical_address % page != 0 ||
        placement.pages == 0 || placement.pages > extent.end / page ||
        !extent.holds(placement.physical_address, placement.pages * page) ||
        (placement.writable && (placement.executable || !may_be_writable))) {
        return false;
    }
    const uint64_t bytes = placement.pages * page;
    const uint64_t start = placement.virtual_address;
    /* Page zero stays unmapped: SYSCALL would lead there. */
    return start >= HATCHERY_PAGE_BYTES && start < kVirtualEnd && bytes <= kVirtualEnd - start &&
           (start >= kHostEnd || start + bytes <= kHostStart);
}

bool is_sound(const RegionPlan& region, uint64_t reserved, uint64_t granularity,
              bool may_be_writable) {
    if (region.bytes % granularity != 0 || region.bytes > kMostBytes || region.bytes < reserved) {
        return false;
    }
    const Extent extent = {reserved, region.bytes}; /* what of it is the plan's */
    return std::all_of(region.placements.begin(), region.placements.end(),
                       [&](const Placement& placement) {
                           return is_sound(placement, extent, may_be_writable);
                       }) &&
           extent.holds(region.contents);
}

/* Overlaps would make one page table entry both a page and a table. */
bool overlap(const LoadPlan& plan) {
    std::vector<Placement> all = plan.memory.placements;
    all.insert(all.end(), plan.shared.placements.begin(), plan.shared.placements.end());
    std::sort(all.begin(), all.end(), [](const Placement& one, const Placement& other) {
        return one.virtual_address < other.virtual_address;
    });
    for (size_t i = 1; i < all.size(); i++) {
        const Placement& before = all[i - 1];
        if (all[i].virtual_address - before.virtual_address < before.pages * before.page_bytes()) {
            return true;
        }
    }
    /* A large page takes the whole of its table's entry, also what the host's pages need. */
    return std::any_of(all.begin(), all.end(), [](const Placement& placement) {
        return placement.large && placement.virtual_address < kHostEnd;
    });
}

}  // namespace

bool Extent::holds(std::span<const Content> contents) const {
    return std::all_of(contents.begin(), contents.end(), [&](const Content& content) {
        return holds(content.physical_address, content.bytes.size());
    });
}

bool is_sound(const LoadPlan& plan, uint64_t reserved_bytes) {
    const Extent own = {reserved_bytes, plan.memory.bytes};
    return is_sound(plan.memory, reserved_bytes, HATCHERY_PAGE_BYTES, true) &&
           is_sound(plan.shared, 0, kLargePageBytes, false) && !overlap(plan) &&
           plan.channel % HATCHERY_PAGE_BYTES == 0 &&
           own.holds(plan.channel, HATCHERY_CHANNEL_BYTES);
}

}  // namespace hatchery
