#include "pv_snapshot.h"

#include <cerrno>

#include "../../images/abi/hatchery_xen.h"
#include "../machine/system_call.h"
#include "pv_machine.h"

namespace hatchery {
namespace {

constexpr uint64_t kMebibytePages = 256;
constexpr uint64_t kMailboxPages = 1 + HATCHERY_CHANNEL_BYTES / HATCHERY_PAGE_BYTES;

/*
 * A PV domain also holds what other platforms keep outside of an instance's memory: 2 page tables'
 * entries and one in the list of its pages for each page, the entries' code and data, Xen's pages,
 * the mailbox. Rounded up to what Xen's builder counts in.
 */
uint64_t pages_for(size_t memory_bytes) {
    constexpr uint64_t kFixedPages = 80;
    constexpr uint64_t kPagesPerOverheadPage = 128;
    const uint64_t own = (memory_bytes + HATCHERY_PAGE_BYTES - 1) / HATCHERY_PAGE_BYTES;
    const uint64_t all = own + own / kPagesPerOverheadPage + kFixedPages;
    return (all + kMebibytePages - 1) / kMebibytePages * kMebibytePages;
}

/* Makes a call of libxenguest's. They print what failed, and do not always set errno. */
template <typename Call>
Status build_step(const char* name, int error, Call call) {
    errno = 0;
    if (fault_is_due(name) || call() != 0) {
        return Failure{name, errno != 0 ? errno : error};
    }
    return kSuccess;
}

}  // namespace

PvSnapshot::PvSnapshot(Hypervisor& hypervisor, PvImage image)
    : hypervisor_(hypervisor), image_(std::move(image)) {
    shape_.type = GuestType::kPv;
    shape_.pages = pages_for(image_.memory_bytes);
    mailbox_page_ = shape_.pages - kMailboxPages;
    shape_.command_line = "hatchery.port=" + std::to_string(kChannelPort) +
                          " hatchery.mailbox=" + std::to_string(mailbox_page_);
}

Result<std::shared_ptr<PvSnapshot>> PvSnapshot::load(Hypervisor& hypervisor, PvImage image,
                                                     size_t empty_shells) {
    std::shared_ptr<PvSnapshot> snapshot(new PvSnapshot(hypervisor, std::move(image)));
    if (empty_shells > 0) {
        auto reserved = hypervisor.shells().reserve(snapshot->shape_, empty_shells);
        if (!reserved.ok()) {
            return reserved.failure();
        }
        snapshot->shells_ = std::move(reserved.value());
    }
    return snapshot;
}

Status PvSnapshot::build(Domain& domain) const {
    struct xc_dom_image* const builder = domain.builder();
    Status failed = build_step("xc_dom_kernel_mem", ENOEXEC, [&] {
        return xc_dom_kernel_mem(builder, image_.file.data(), image_.file.size());
    });
    if (!failed && !image_.configuration.empty()) {
        failed = build_step("xc_dom_module_mem", EINVAL, [&] {
            return xc_dom_module_mem(builder, image_.configuration.data(),
                                     image_.configuration.size(), nullptr);
        });
    }
    if (!failed) {
        failed =
            build_step("xc_dom_parse_image", ENOEXEC, [&] { return xc_dom_parse_image(builder); });
    }
    if (!failed) {
        failed =
            build_step("xc_dom_build_image", ENOMEM, [&] { return xc_dom_build_image(builder); });
    }
    if (!failed) {
        failed =
            build_step("xc_dom_boot_image", EINVAL, [&] { return xc_dom_boot_image(builder); });
    }
    return failed;
}

Result<std::unique_ptr<Machine>> PvSnapshot::create_machine(bool) {
    auto taken = hypervisor_.shells().take(shape_, image_.name);
    if (!taken.ok()) {
        return taken.failure();
    }
    Domain& domain = *taken.value();
    if (Status failed = build(domain)) {
        return *failed;
    }
    return PvMachine::attach(shared_from_this(), std::move(taken.value()), mailbox_page_);
}

}  // namespace hatchery
