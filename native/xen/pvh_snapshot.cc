#include "pvh_snapshot.h"

#include <cstring>

#include "pvh_machine.h"

namespace hatchery {
namespace {

/* Copies pages, of which the first is at the start of both. */
void copy_pages(const PageSet& pages, uint8_t* to, const uint8_t* from) {
    pages.for_each_run([&](size_t page, size_t count) {
        std::memcpy(to + page * HATCHERY_PAGE_BYTES, from + page * HATCHERY_PAGE_BYTES,
                    count * HATCHERY_PAGE_BYTES);
    });
}

bool is_zero(const uint8_t* page) {
    return page[0] == 0 && std::memcmp(page, page + 1, HATCHERY_PAGE_BYTES - 1) == 0;
}

}  // namespace

PvhSnapshot::PvhSnapshot(std::shared_ptr<const PvhOrigin> origin)
    : origin_(std::move(origin)), filled_(layout().shape().pages * HATCHERY_PAGE_BYTES) {}

Status PvhSnapshot::allocate() {
    auto memory = Mapping::map(memory_bytes(), PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
    if (!memory.ok()) {
        return memory.failure();
    }
    memory_ = std::move(memory.value());
    return kSuccess;
}

void PvhSnapshot::write_stub(const struct hatchery_frame& frame) {
    const auto put = [&](size_t page, const unsigned char* start, const unsigned char* end) {
        std::memcpy(memory_.bytes() + page * HATCHERY_PAGE_BYTES, start,
                    static_cast<size_t>(end - start));
    };
    put(kStubPage, hatchery_stub_code, hatchery_stub_code_end);
    put(kTablesPage, hatchery_stub_tables, hatchery_stub_tables_end);
    /* A machine waits for the answer to READY, or to what stands for it before an image's start. */
    struct hatchery_mailbox mailbox = {};
    mailbox.port = kChannelPort;
    mailbox.instruction =
        origin_->hypervisor.facts().vmcall ? HATCHERY_MAILBOX_VMCALL : HATCHERY_MAILBOX_VMMCALL;
    mailbox.rung = 1;
    mailbox.operation = HATCHERY_READY;
    mailbox.frame = frame;
    std::memcpy(memory_.bytes() + kMailboxPage * HATCHERY_PAGE_BYTES, &mailbox, sizeof mailbox);
    filled_.add_bytes(0, kStubBytes);
}

Result<std::shared_ptr<PvhSnapshot>> PvhSnapshot::load(std::shared_ptr<const PvhOrigin> origin,
                                                       const LoadPlan& plan) {
    std::shared_ptr<PvhSnapshot> snapshot(new PvhSnapshot(std::move(origin)));
    if (Status failed = snapshot->allocate()) {
        return *failed;
    }
    for (const Content& content : plan.memory.contents) {
        if (!content.bytes.empty()) {
            std::memcpy(snapshot->memory_.bytes() + content.physical_address, content.bytes.data(),
                        content.bytes.size());
            snapshot->filled_.add_bytes(content.physical_address, content.bytes.size());
        }
    }
    struct hatchery_frame frame = {};
    frame.rip = plan.entry;
    frame.rsp = HATCHERY_STACK_TOP;
    frame.cs = HATCHERY_USER_CODE;
    frame.ss = HATCHERY_USER_DATA;
    snapshot->write_stub(frame);
    return snapshot;
}

Result<std::shared_ptr<PvhSnapshot>> PvhSnapshot::capture(
    std::span<const uint8_t> memory, const PageSet& written,
    const struct hatchery_frame& frame) const {
    std::shared_ptr<PvhSnapshot> snapshot(new PvhSnapshot(origin_));
    if (Status failed = snapshot->allocate()) {
        return *failed;
    }
    PageSet candidates = filled_;
    candidates.add(written);
    candidates.for_each_run([&](size_t page, size_t count) {
        for (size_t at = page; at < page + count; at++) {
            const size_t offset = at * HATCHERY_PAGE_BYTES;
            if (!is_zero(memory.data() + offset)) {
                std::memcpy(snapshot->memory_.bytes() + offset, memory.data() + offset,
                            HATCHERY_PAGE_BYTES);
                snapshot->filled_.add_bytes(offset, HATCHERY_PAGE_BYTES);
            }
        }
    });
    snapshot->write_stub(frame);
    return snapshot;
}

Result<std::unique_ptr<Domain>> PvhSnapshot::create_domain() const {
    auto taken = origin_->hypervisor.shells().take(layout().shape(), origin_->name);
    if (!taken.ok()) {
        return taken.failure();
    }
    Domain& domain = *taken.value();
    /* The shape has the constant part reached. */
    if (Status failed = domain.reach(filled_)) {
        return *failed;
    }
    copy_pages(filled_, domain.memory().data(), memory_.bytes());
    copy_pages(layout().constant_pages(), domain.memory().data() + layout().constant_start(),
               layout().constant().data());
    return std::move(taken.value());
}

Result<std::unique_ptr<Machine>> PvhSnapshot::create_machine(bool keep_log) {
    auto domain = create_domain();
    if (!domain.ok()) {
        return domain.failure();
    }
    if (keep_log) {
        if (Status failed = domain.value()->enable_dirty_log()) {
            return *failed;
        }
    }
    return std::unique_ptr<Machine>(
        new PvhMachine(shared_from_this(), std::move(domain.value()), keep_log));
}

}  // namespace hatchery
