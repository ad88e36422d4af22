#include "page_tables.h"

#include <array>
#include <cstring>
#include <vector>

namespace hatchery {
namespace {

constexpr uint64_t kPresent = 1u << 0;
constexpr uint64_t kWritable = 1u << 1;
constexpr uint64_t kUser = 1u << 2;
constexpr uint64_t kAccessed = 1u << 5;
constexpr uint64_t kDirty = 1u << 6;
constexpr uint64_t kLarge = 1u << 7;
constexpr uint64_t kNoExecute = 1ull << 63;
constexpr uint64_t kAddressMask = 0x000ffffffffff000;
constexpr unsigned kIndexBits = 9;
constexpr unsigned kPageBits = 12;

using Table = std::array<uint64_t, 1u << kIndexBits>;
static_assert(sizeof(Table) == HATCHERY_PAGE_BYTES);

class Builder {
  public:
    explicit Builder(uint64_t physical_address) : base_(physical_address), tables_(1, Table{}) {}

    /* Maps the page at `offset` of the placement. */
    void map(const Placement& placement, uint64_t offset) {
        const uint64_t virtual_address = placement.virtual_address + offset;
        const unsigned last_level = placement.large ? 1 : 0;
        size_t table = 0;
        for (unsigned level = 3; level > last_level; level--) {
            table = descend(table, index(virtual_address, level));
        }
        uint64_t entry = (placement.physical_address + offset) | kPresent | kAccessed | kDirty;
        entry |= placement.supervisor ? 0 : kUser;
        entry |= placement.writable ? kWritable : 0;
        entry |= placement.executable ? 0 : kNoExecute;
        entry |= placement.large ? kLarge : 0;
        tables_[table][index(virtual_address, last_level)] = entry;
    }

    const std::vector<Table>& tables() const { return tables_; }

  private:
    static size_t index(uint64_t virtual_address, unsigned level) {
        return virtual_address >> (kPageBits + level * kIndexBits) & ((1u << kIndexBits) - 1);
    }

    size_t descend(size_t table, size_t entry) {
        if (tables_[table][entry] == 0) {
            const uint64_t next = base_ + tables_.size() * sizeof(Table);
            tables_.emplace_back(Table{});
            tables_[table][entry] = next | kPresent | kWritable | kUser | kAccessed;
        }
        return ((tables_[table][entry] & kAddressMask) - base_) / sizeof(Table);
    }

    uint64_t base_;
    std::vector<Table> tables_;
};

}  // namespace

Result<std::shared_ptr<const PageTables>> PageTables::build(std::span<const Placement> placements,
                                                            uint64_t physical_address) {
    Builder builder(physical_address);
    for (const Placement& placement : placements) {
        for (uint64_t page = 0; page < placement.pages; page++) {
            builder.map(placement, page * placement.page_bytes());
        }
    }
    const size_t bytes = builder.tables().size() * sizeof(Table);
    auto memory = Mapping::map(bytes, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (!memory.ok()) {
        return memory.failure();
    }
    std::memcpy(memory.value().bytes(), builder.tables().data(), bytes);
    auto tables = std::make_shared<PageTables>();
    tables->memory_ = std::move(memory.value());
    tables->physical_address_ = physical_address;
    return std::shared_ptr<const PageTables>(std::move(tables));
}

}  // namespace hatchery
