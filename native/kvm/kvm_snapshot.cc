#include "kvm_snapshot.h"

#include <algorithm>
#include <cstring>

#include "kvm_machine.h"
#include "resume_stub.h"

namespace hatchery {
namespace {

/* Where the regions are in guest physical memory: one after the other, with room between. */
struct PhysicalMap {
    explicit PhysicalMap(const LoadPlan& plan)
        : tables((plan.memory.bytes + kLargePageBytes - 1) / kLargePageBytes * kLargePageBytes),
          doorbell(tables + kRoom),
          shared(doorbell + kRoom) {}

    /* Tables for less than 512 GiB need less than this. */
    static constexpr uint64_t kRoom = 2ull << 30;

    uint64_t tables;
    uint64_t doorbell;
    uint64_t shared;
};

std::vector<Placement> all_placements(const LoadPlan& plan, const PhysicalMap& map) {
    std::vector<Placement> placements = plan.memory.placements;
    for (Placement placement : plan.shared.placements) {
        placement.physical_address += map.shared;
        placements.push_back(placement);
    }
    placements.push_back({HATCHERY_RESUME_ADDRESS, 0, 1, false, true, false});
    placements.push_back({HATCHERY_RESUME_ADDRESS + HATCHERY_PAGE_BYTES, HATCHERY_PAGE_BYTES,
                          kResumePages - 1, false, false, false});
    placements.push_back({HATCHERY_DOORBELL_ADDRESS, map.doorbell, 1, true, false, false});
    return placements;
}

/* Where the first large page of the machine's own memory is; beyond all memory if there is none. */
uint64_t first_large_page(const RegionPlan& memory) {
    uint64_t first = UINT64_MAX;
    for (const Placement& placement : memory.placements) {
        if (placement.large && placement.writable) {
            first = std::min(first, placement.physical_address);
        }
    }
    return first;
}

/* CR0: PE, MP, ET, NE, WP, AM, PG. CR4: PAE, OSFXSR, OSXMMEXCPT. EFER: LME, LMA, NXE; SCE stays
 * clear, so that SYSCALL is an invalid instruction. (Intel SDM volume 3A, sections 2.2.1 and 2.5.)
 */
constexpr uint64_t kCr0 = 0x80050033;
constexpr uint64_t kCr4 = 0x620;
constexpr uint64_t kCr4Osxsave = 0x40000;
constexpr uint64_t kEfer = 0xd00;

/* RFLAGS: the bit that is always 1. IOPL stays 0: no port I/O, no CLI. */
constexpr uint64_t kRflags = 0x2;

struct kvm_segment flat_segment(uint16_t selector, uint8_t type, bool long_mode) {
    struct kvm_segment segment = {};
    segment.selector = selector | 3;
    segment.type = type;
    segment.limit = 0xffffffff;
    segment.present = 1;
    segment.dpl = 3;
    segment.s = 1;
    segment.g = 1;
    segment.l = long_mode;
    segment.db = !long_mode;
    return segment;
}

/* Ring 3 in long mode, with no descriptor table, no interrupt table and no usable task segment. */
RegisterState cold_registers(const KvmDevice& device, const PageTables& tables) {
    constexpr uint8_t kCode = 11;     /* execute, read, accessed */
    constexpr uint8_t kData = 3;      /* read, write, accessed */
    constexpr uint8_t kBusyTask = 11; /* what VM entry demands of TR */
    RegisterState state = {};
    state.general.rsp = HATCHERY_STACK_TOP;
    state.general.rip = HATCHERY_RESUME_ADDRESS + kResumeEntry;
    state.general.rax = state.general.rdx = kResumeMask;
    state.general.rflags = kRflags;
    struct kvm_sregs& special = state.special;
    special = device.reset_sregs();
    special.cr0 = kCr0;
    special.cr3 = tables.physical_address();
    special.cr4 = kCr4 | (device.reports_xsave() ? kCr4Osxsave : 0);
    special.efer = kEfer;
    special.cs = flat_segment(0x8, kCode, true);
    special.ss = flat_segment(0x10, kData, false);
    special.ds = special.es = special.fs = special.gs = special.ss;
    special.tr = {};
    special.tr.type = kBusyTask;
    special.tr.present = 1;
    special.tr.limit = 0x67;
    special.ldt = {};
    special.ldt.unusable = 1;
    special.gdt = {};
    special.idt = {};
    /* Without these flags the kernel would leave the interrupt shadow and a pending NMI alone. */
    state.events.flags = KVM_VCPUEVENT_VALID_SHADOW | KVM_VCPUEVENT_VALID_NMI_PENDING;
    return state;
}

}  // namespace

KvmSnapshot::KvmSnapshot(size_t memory_bytes)
    : memory_bytes_(memory_bytes),
      filled_(memory_bytes),
      views_(memory_bytes),
      written_(std::make_shared<LearnedPages>(memory_bytes)),
      written_by_requests_(std::make_shared<LearnedPages>(memory_bytes)) {}

Result<std::shared_ptr<KvmSnapshot>> KvmSnapshot::create(size_t memory_bytes) {
    std::shared_ptr<KvmSnapshot> snapshot(new KvmSnapshot(memory_bytes));
    auto file = MemoryFile::create(memory_bytes);
    if (!file.ok()) {
        return file.failure();
    }
    snapshot->file_ = std::move(file.value());
    return snapshot;
}

Status KvmSnapshot::put(uint64_t offset, std::span<const uint8_t> bytes) {
    filled_.add_bytes(offset, bytes.size());
    return file_.write(offset, bytes);
}

Status KvmSnapshot::put(std::span<const Content> contents) {
    Status failed;
    for (const Content& content : contents) {
        if (!failed) {
            failed = put(content.physical_address, content.bytes);
        }
    }
    return failed;
}

Status KvmSnapshot::put_resume_stub(uint64_t target) {
    uint8_t stub[kResumeBytes] = {};
    const auto lay = [&](size_t offset, const void* bytes, size_t count) {
        std::memcpy(stub + offset, bytes, count);
    };
    lay(kResumeEntry, kResumeCode, sizeof kResumeCode);
    lay(kProbeEntry, kProbeCode, sizeof kProbeCode);
    lay(kResumeTarget, &target, sizeof target);
    lay(kResumeXsaveArea + kMxcsrOffset, &kMxcsrInitial, sizeof kMxcsrInitial);
    return put(0, stub);
}

Status KvmSnapshot::seal() {
    if (Status failed = file_.seal()) {
        return failed;
    }
    auto view = file_.map_for_reading();
    if (!view.ok()) {
        return view.failure();
    }
    view_ = std::move(view.value());
    return kSuccess;
}

Result<MemoryViews::View> KvmSnapshot::take_memory() {
    return views_.take(file_, view_.bytes(), filled_, large_from());
}

size_t KvmSnapshot::large_from() const {
    /* A guest that needs a little more than before is to find it without a large page, and so is
     * one that starts: not much of a heap's first large page would be used. */
    constexpr size_t kRoomBytes = 256u << 10;
    if (device_->pagemap() == nullptr || heap_ >= memory_bytes_) {
        return memory_bytes_;
    }
    const size_t end = filled_.end() * HATCHERY_PAGE_BYTES + kRoomBytes;
    const size_t boundary = (end + kLargePageBytes - 1) / kLargePageBytes * kLargePageBytes;
    const size_t first = heap_ + (ready_ ? 0 : kLargePageBytes);
    return std::min(std::max(first, boundary), memory_bytes_);
}

Result<std::shared_ptr<KvmSnapshot>> KvmSnapshot::load(std::shared_ptr<const KvmDevice> device,
                                                       const LoadPlan& plan) {
    auto made = create(plan.memory.bytes);
    if (!made.ok()) {
        return made;
    }
    auto& snapshot = made.value();
    const PhysicalMap map(plan);
    auto tables = PageTables::build(all_placements(plan, map), map.tables);
    if (!tables.ok()) {
        return tables.failure();
    }
    snapshot->device_ = std::move(device);
    snapshot->tables_ = tables.value();
    snapshot->doorbell_ = map.doorbell;
    snapshot->channel_ = plan.channel;
    snapshot->heap_ = first_large_page(plan.memory);
    snapshot->registers_ = cold_registers(*snapshot->device_, *snapshot->tables_);
    if (plan.shared.bytes > 0) {
        auto shared = SharedRegion::create(plan.shared.bytes, map.shared);
        if (!shared.ok()) {
            return shared.failure();
        }
        for (const Content& content : plan.shared.contents) {
            std::copy(content.bytes.begin(), content.bytes.end(),
                      shared.value()->bytes() + content.physical_address);
        }
        snapshot->shared_ = shared.value();
    }
    Status failed = snapshot->put_resume_stub(plan.entry);
    if (!failed) {
        failed = snapshot->put(plan.memory.contents);
    }
    if (!failed) {
        failed = snapshot->seal();
    }
    if (failed) {
        return *failed;
    }
    return made;
}

Result<std::shared_ptr<KvmSnapshot>> KvmSnapshot::successor() const {
    auto made = create(memory_bytes_);
    if (!made.ok()) {
        return made;
    }
    auto& snapshot = made.value();
    snapshot->device_ = device_;
    snapshot->tables_ = tables_;
    snapshot->shared_ = shared_;
    snapshot->doorbell_ = doorbell_;
    snapshot->channel_ = channel_;
    snapshot->heap_ = heap_;
    snapshot->filled_ = filled_;
    snapshot->registers_ = registers_;
    return made;
}

Result<std::shared_ptr<KvmSnapshot>> KvmSnapshot::capture(const uint8_t* memory,
                                                          const PageSet& written,
                                                          const RegisterState& registers) const {
    auto made = successor();
    if (!made.ok()) {
        return made;
    }
    auto& snapshot = made.value();
    snapshot->filled_.add(written);
    snapshot->ready_ = true;
    snapshot->registers_ = registers;
    snapshot->registers_.general.rip = HATCHERY_RESUME_ADDRESS + kResumeEntry;
    snapshot->registers_.general.rax = snapshot->registers_.general.rdx = kResumeMask;
    if (configured_) {
        written_->learn(written);
        snapshot->written_by_requests_ = written_by_requests_;
        snapshot->written_->guess(written_by_requests_->usual());
    }
    Status failed = snapshot->file_.write_pages(0, memory, snapshot->filled_);
    if (!failed) {
        failed = snapshot->put_resume_stub(registers.general.rip);
    }
    if (!failed) {
        failed = snapshot->seal();
    }
    if (failed) {
        return *failed;
    }
    return made;
}

Result<std::shared_ptr<Snapshot>> KvmSnapshot::configure(std::span<const Content> contents) const {
    if (!Extent{kResumeBytes, memory_bytes_}.holds(contents)) {
        return Failure{"configure", EINVAL};
    }
    auto made = successor();
    if (!made.ok()) {
        return made.failure();
    }
    auto& snapshot = made.value();
    snapshot->configured_ = true;
    snapshot->written_ = written_;
    snapshot->written_by_requests_ = written_by_requests_;
    if (shared_) {
        /* No function shares memory with another one, code neither: it could watch its caches. */
        auto shared = shared_->copy();
        if (!shared.ok()) {
            return shared.failure();
        }
        snapshot->shared_ = shared.value();
    }
    Status failed = snapshot->file_.write_pages(0, memory(), filled_);
    if (!failed) {
        failed = snapshot->put(contents);
    }
    if (!failed) {
        failed = snapshot->seal();
    }
    if (failed) {
        return *failed;
    }
    return std::shared_ptr<Snapshot>(std::move(snapshot));
}

Result<std::unique_ptr<Machine>> KvmSnapshot::create_machine(bool keep_log) {
    auto machine = KvmMachine::create(shared_from_this(), keep_log);
    if (!machine.ok()) {
        return machine.failure();
    }
    return std::unique_ptr<Machine>(std::move(machine.value()));
}

void KvmSnapshot::learn_written(const PageSet& written) {
    written_->learn(written);
    written_by_requests_->learn(written);
}

}  // namespace hatchery
