#include "guest_layout.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "../../images/abi/hatchery_xen.h"
#include "../machine/page_tables.h"

namespace hatchery {
namespace {

constexpr uint64_t round_up(uint64_t bytes, uint64_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

std::vector<Placement> all_placements(const LoadPlan& plan, uint64_t shared_start,
                                      uint64_t shared_info) {
    std::vector<Placement> placements = plan.memory.placements;
    for (Placement placement : plan.shared.placements) {
        placement.physical_address += shared_start;
        placements.push_back(placement);
    }
    const auto add = [&](uint64_t virtual_address, uint64_t physical_address, bool writable,
                         bool executable) {
        placements.push_back({.virtual_address = virtual_address,
                              .physical_address = physical_address,
                              .pages = 1,
                              .writable = writable,
                              .executable = executable,
                              .large = false,
                              .supervisor = true});
    };
    add(HATCHERY_STUB_ADDRESS, kStubPage * HATCHERY_PAGE_BYTES, false, true);
    add(HATCHERY_MAILBOX_ADDRESS, kMailboxPage * HATCHERY_PAGE_BYTES, true, false);
    add(HATCHERY_TABLES_ADDRESS, kTablesPage * HATCHERY_PAGE_BYTES, false, false);
    add(HATCHERY_SHARED_INFO, shared_info, true, false);
    return placements;
}

/* The page before the end of the stack, and that from the start of the heap: what a guest writes
 * first, and so what a snapshot of it has something in. */
uint64_t first_written(const Placement& placement) {
    const uint64_t bytes = placement.pages * placement.page_bytes();
    const bool is_stack = placement.virtual_address + bytes == HATCHERY_STACK_TOP;
    return placement.physical_address + (is_stack ? bytes - HATCHERY_PAGE_BYTES : 0);
}

/* The pages that every machine's host writes, or is likely to: those of the stub, the image and the
 * channel, the first of what the guest can write, and the constant part. */
std::vector<FrameRange> pages_at_start(const LoadPlan& plan, const PageSet& constant_pages,
                                       uint64_t constant_start) {
    PageSet pages(constant_start);
    pages.add_bytes(0, kStubBytes);
    pages.add_bytes(plan.channel, HATCHERY_CHANNEL_BYTES);
    for (const Content& content : plan.memory.contents) {
        pages.add_bytes(content.physical_address, content.bytes.size());
    }
    for (const Placement& placement : plan.memory.placements) {
        if (placement.writable) {
            pages.add_bytes(first_written(placement), HATCHERY_PAGE_BYTES);
        }
    }
    std::vector<FrameRange> ranges;
    pages.for_each_run([&](size_t first, size_t count) { ranges.push_back({first, count}); });
    const size_t base = constant_start / HATCHERY_PAGE_BYTES;
    constant_pages.for_each_run(
        [&](size_t first, size_t count) { ranges.push_back({base + first, count}); });
    return ranges;
}

}  // namespace

Result<std::shared_ptr<const GuestLayout>> GuestLayout::build(const LoadPlan& plan) {
    constexpr uint64_t kFewestBytes = 1 << 20; /* what DomainShape demands */
    const uint64_t memory = plan.memory.bytes;
    const uint64_t shared_start =
        plan.shared.bytes == 0 ? memory : round_up(memory, kLargePageBytes);
    const uint64_t tables_start = shared_start + plan.shared.bytes;
    /* How large the tables are depends on how many placements there are, not on where they lead: so
     * the first try, which has shared_info anywhere, tells where it is. */
    auto tables = PageTables::build(all_placements(plan, shared_start, 0), tables_start);
    if (!tables.ok()) {
        return tables.failure();
    }
    const uint64_t end = std::max(tables_start + tables.value()->memory().size(), kFewestBytes);
    tables = PageTables::build(all_placements(plan, shared_start, end), tables_start);
    if (!tables.ok()) {
        return tables.failure();
    }
    const size_t constant_bytes = end - shared_start;
    auto constant = Mapping::map(constant_bytes, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (!constant.ok()) {
        return constant.failure();
    }
    std::shared_ptr<GuestLayout> layout(new GuestLayout(constant_bytes));
    uint8_t* const bytes = constant.value().bytes();
    const auto put = [&](size_t offset, const void* from, size_t count) {
        if (count > 0) {
            std::memcpy(bytes + offset, from, count);
            layout->constant_pages_.add_bytes(offset, count);
        }
    };
    for (const Content& content : plan.shared.contents) {
        put(content.physical_address, content.bytes.data(), content.bytes.size());
    }
    const Mapping& table_memory = tables.value()->memory();
    put(tables_start - shared_start, table_memory.bytes(), table_memory.size());
    layout->memory_bytes_ = memory;
    layout->channel_ = plan.channel;
    layout->page_tables_ = tables.value()->physical_address();
    layout->constant_start_ = shared_start;
    layout->shape_.type = GuestType::kPvh;
    layout->shape_.pages = end / HATCHERY_PAGE_BYTES;
    layout->shape_.page_tables = layout->page_tables_;
    layout->shape_.shared_info_frame = end / HATCHERY_PAGE_BYTES;
    layout->shape_.reached = pages_at_start(plan, layout->constant_pages_, shared_start);
    layout->constant_ = std::move(constant.value());
    return std::shared_ptr<const GuestLayout>(std::move(layout));
}

}  // namespace hatchery
