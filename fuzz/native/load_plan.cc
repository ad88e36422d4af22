/*
 * Plans of any kind: those that are called sound are carried out, and the page tables map just what
 * they say, and nothing of the host's for the guest to write.
 */
#include <cstring>

#include "../../native/kvm/kvm_snapshot.h"
#include "../../native/kvm/resume_stub.h"
#include "fake_kvm.h"

namespace hatchery::fuzz {
namespace {

constexpr uint64_t kMostBytes = 8 << 20;
constexpr uint64_t kNotMapped = UINT64_MAX;

/* Small multiples of pages most of the time, else anything. */
uint64_t number(FuzzedDataProvider& input, uint64_t unit) {
    return input.ConsumeIntegralInRange(0, 9) == 0
               ? input.ConsumeIntegral<uint64_t>()
               : input.ConsumeIntegralInRange<uint64_t>(0, 1100) * unit;
}

RegionPlan region(FuzzedDataProvider& input, uint64_t unit, const std::vector<uint8_t>& bytes) {
    RegionPlan plan;
    plan.bytes = number(input, unit);
    for (int left = input.ConsumeIntegralInRange(0, 6); left > 0; left--) {
        Placement placement = {};
        placement.large = input.ConsumeBool();
        const uint64_t page = placement.page_bytes();
        placement.virtual_address = number(input, page);
        placement.physical_address = number(input, page);
        placement.pages = number(input, 1);
        placement.writable = input.ConsumeBool();
        placement.executable = input.ConsumeBool();
        plan.placements.push_back(placement);
    }
    for (int left = input.ConsumeIntegralInRange(0, 3); left > 0; left--) {
        const auto count = input.ConsumeIntegralInRange<size_t>(0, bytes.size());
        plan.contents.push_back({number(input, 1), {bytes.data(), count}});
    }
    return plan;
}

struct Translation {
    uint64_t physical = kNotMapped;
    bool writable = false;
    bool executable = false;
};

/* Walks the tables as the processor would. */
Translation translate(const PageTables& tables, uint64_t address) {
    const auto* words = reinterpret_cast<const uint64_t*>(tables.memory().bytes());
    const size_t count = tables.memory().size() / sizeof(uint64_t);
    uint64_t table = tables.physical_address();
    for (int level = 3; level >= 0; level--) {
        const int shift = 12 + 9 * level;
        const uint64_t index = (table - tables.physical_address()) / 8 + (address >> shift & 511);
        expect(index < count, "tables refer to tables");
        const uint64_t entry = words[index];
        if ((entry & 1) == 0) {
            return {};
        }
        const uint64_t target = entry & 0x000ffffffffff000;
        if (level == 0 || (level == 1 && (entry & 0x80) != 0)) {
            const uint64_t mask = (uint64_t{1} << shift) - 1;
            return {(target & ~mask) + (address & mask), (entry & 2) != 0, entry >> 63 == 0};
        }
        table = target;
    }
    return {};
}

void check(const KvmSnapshot& snapshot, const LoadPlan& plan) {
    const PageTables& tables = snapshot.tables();
    const auto check_region = [&](const RegionPlan& region, uint64_t base) {
        for (const Placement& placement : region.placements) {
            const uint64_t last = (placement.pages - 1) * placement.page_bytes();
            for (const uint64_t offset : {uint64_t{0}, last, last + placement.page_bytes() - 1}) {
                const auto found = translate(tables, placement.virtual_address + offset);
                expect(found.physical == base + placement.physical_address + offset,
                       "a placement is where it says");
                expect(found.writable == placement.writable &&
                           found.executable == placement.executable,
                       "a placement has its rights");
            }
        }
    };
    check_region(plan.memory, 0);
    expect(snapshot.channel() >= kResumeBytes &&
               snapshot.channel() + HATCHERY_CHANNEL_BYTES <= snapshot.memory_bytes(),
           "the channel is in the machine's own memory");
    if (snapshot.shared() != nullptr) {
        check_region(plan.shared, snapshot.shared()->physical_address());
    }
    expect(translate(tables, 0).physical == kNotMapped, "page zero is not mapped");
    const auto stub = translate(tables, HATCHERY_RESUME_ADDRESS);
    expect(stub.physical == 0 && stub.executable && !stub.writable, "the resume stub is mapped");
    expect(std::memcmp(snapshot.memory(), kResumeCode, sizeof kResumeCode) == 0,
           "the resume stub is the host's");
    const auto bell = translate(tables, HATCHERY_DOORBELL_ADDRESS);
    expect(bell.physical == snapshot.doorbell() && bell.writable && !bell.executable,
           "the doorbell is mapped");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
    static const std::vector<uint8_t> content(5000, 0xaa);
    const auto opened = device();
    FuzzedDataProvider input(bytes, size);
    LoadPlan plan;
    plan.entry = input.ConsumeIntegral<uint64_t>();
    plan.memory = region(input, HATCHERY_PAGE_BYTES, content);
    plan.shared = region(input, kLargePageBytes, content);
    plan.channel = number(input, HATCHERY_PAGE_BYTES);
    if (!is_sound(plan, kResumeBytes) || plan.memory.bytes > kMostBytes ||
        plan.shared.bytes > kMostBytes) {
        return 0;
    }
    auto snapshot = KvmSnapshot::load(opened, plan);
    expect(snapshot.ok(), "a sound plan can be carried out");
    check(*snapshot.value(), plan);
    return 0;
}

}  // namespace hatchery::fuzz
