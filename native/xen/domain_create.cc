/* How a domain comes to be. */
#include <cstring>
#include <vector>

#include "../machine/clock.h"
#include "../machine/system_call.h"
#include "checked_call.h"
#include "domain.h"
#include "store_entries.h"
#include "undertaker.h"
#include "vcpu_context.h"

namespace hatchery {
namespace {

/* Far more ports than anybody needs here, in one of Xen's buckets of them. */
constexpr uint32_t kLastPort = 127;
/* What Xen gives each domain for its page tables itself (hap_enable: 256 pages). */
constexpr uint64_t kLeastPagingBytes = 1 << 20;
/* To map every page on its own, as the dirty log needs, and the log itself. */
constexpr uint64_t kPagingBytesPerMemoryPage = 16;
constexpr unsigned kLargeOrder = 9;
constexpr uint64_t kLargePages = uint64_t{1} << kLargeOrder;
constexpr uint64_t kMebibytePages = 256;
/* TSC_MODE_NEVER_EMULATE in Xen's asm-x86/time.h. */
constexpr uint32_t kNativeTsc = 2;
constexpr int64_t kSecond = 1000000000;

bool is_clear(const uint8_t* page) {
    typedef uint64_t Vector __attribute__((vector_size(16), may_alias));
    const Vector* const vectors = reinterpret_cast<const Vector*>(page);
    constexpr size_t kCount = XC_PAGE_SIZE / sizeof(Vector);
    Vector seen = {};
#pragma GCC unroll 16
    for (size_t i = 0; i < kCount; i++) {
        seen |= vectors[i];
    }
    return (seen[0] | seen[1]) == 0;
}

}  // namespace

Result<std::unique_ptr<Domain>> Domain::create(Hypervisor& hypervisor, const DomainShape& shape,
                                               const std::string& name) {
    const auto pass = hypervisor.creation_gate().enter();
    if (!pass) {
        return Failure{"Domain::create", ECANCELED};
    }
    hypervisor.undertaker().wait_for_room(monotonic_now() + kSecond);
    auto made = try_create(hypervisor, shape, name);
    /* What dead domains still hold may be what is missing. */
    if (!made.ok() && made.failure().error == ENOMEM &&
        hypervisor.undertaker().drain(monotonic_now() + kSecond)) {
        return try_create(hypervisor, shape, name);
    }
    return made;
}

Result<std::unique_ptr<Domain>> Domain::try_create(Hypervisor& hypervisor, const DomainShape& shape,
                                                   const std::string& name) {
    const bool frames_fit = shape.type == GuestType::kPv ? shape.pages % kMebibytePages == 0
                                                         : shape.shared_info_frame >= shape.pages;
    if (shape.pages < kMebibytePages || !frames_fit) {
        return Failure{"DomainShape", EINVAL};
    }
    if (Status failed = hypervisor.undertaker().start()) {
        return *failed;
    }
    std::unique_ptr<Domain> domain(new Domain(hypervisor, shape));
    Status failed = domain->create_empty();
    if (!failed) {
        failed = domain->configure();
    }
    if (!failed) {
        failed = domain->open_channel();
    }
    if (!failed) {
        failed = shape.type == GuestType::kPvh ? domain->add_memory() : domain->start_builder();
    }
    if (!failed) {
        failed = hypervisor.store().add(domain->id_, domain->handle_, domain->store_name(name));
    }
    if (failed) {
        return *failed; /* what there is of the domain goes with its owner */
    }
    return domain;
}

Status Domain::create_empty() {
    constexpr const char* kCreate = "xc_domain_create";
    handle_ = hypervisor_.owner().new_handle();
    struct xen_domctl_createdomain config = {};
    static_assert(sizeof config.handle == std::tuple_size_v<DomainHandle>);
    std::memcpy(config.handle, handle_.data(), handle_.size());
    config.max_vcpus = 1;
    config.max_evtchn_port = kLastPort;
    config.max_grant_frames = 1;
    config.grant_opts = XEN_DOMCTL_GRANT_version(1);
    if (shape_.type == GuestType::kPvh) {
        config.flags = XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
        /* The least that Xen takes for HVM (emulation_flags_ok, xen/arch/x86/domain.c). */
        config.arch.emulation_flags = XEN_X86_EMU_LAPIC;
    }
    id_ = 0; /* any free number */
    if (attempt_once(kCreate,
                     [&] { return xc_domain_create(hypervisor_.control(), &id_, &config); }) < 0) {
        return Failure::from_errno(kCreate);
    }
    exists_ = true;
    return kSuccess;
}

Status Domain::configure() {
    xc_interface* const control = hypervisor_.control();
    Status failed =
        checked("xc_domain_max_vcpus", [&] { return xc_domain_max_vcpus(control, id_, 1); });
    if (!failed) {
        failed = hypervisor_.guest_processors().confine(control, id_);
    }
    if (!failed) {
        failed = checked("xc_domain_setmaxmem", [&] {
            return xc_domain_setmaxmem(control, id_, shape_.pages * (XC_PAGE_SIZE / 1024));
        });
    }
    if (!failed && shape_.type == GuestType::kPvh) {
        failed = checked("xc_set_paging_mempool_size", [&] {
            const uint64_t bytes = kLeastPagingBytes + shape_.pages * kPagingBytesPerMemoryPage;
            return xc_set_paging_mempool_size(
                control, id_, (bytes + XC_PAGE_SIZE - 1) / XC_PAGE_SIZE * XC_PAGE_SIZE);
        });
    }
    if (!failed) {
        failed = checked("xc_cpuid_apply_policy", [&] {
            return xc_cpuid_apply_policy(control, id_, false, nullptr, 0, true, false, false,
                                         nullptr, nullptr);
        });
    }
    if (!failed) {
        failed = checked("xc_domain_set_tsc_info",
                         [&] { return xc_domain_set_tsc_info(control, id_, kNativeTsc, 0, 0, 0); });
    }
    return failed;
}

Status Domain::open_channel() {
    constexpr const char* kAllocate = "xc_evtchn_alloc_unbound";
    const int port =
        attempt(kAllocate, [&] { return xc_evtchn_alloc_unbound(hypervisor_.control(), id_, 0); });
    if (port < 0) {
        return Failure::from_errno(kAllocate);
    }
    if (port != static_cast<int>(kChannelPort)) {
        return Failure{kAllocate, EBUSY};
    }
    auto channel = EventChannel::bind(hypervisor_.event_handles(), id_, kChannelPort);
    if (!channel.ok()) {
        return channel.failure();
    }
    channel_ = std::move(channel.value());
    return kSuccess;
}

Status Domain::add_memory() {
    if (Status failed = populate()) {
        return failed;
    }
    if (Status failed = checked("xc_domain_add_to_physmap(shared_info)", [&] {
            return xc_domain_add_to_physmap(hypervisor_.control(), id_, XENMAPSPACE_shared_info, 0,
                                            shape_.shared_info_frame);
        })) {
        return failed;
    }
    auto mapped = map(shape_.shared_info_frame, 1, Access::kWrite);
    if (!mapped.ok()) {
        return mapped.failure();
    }
    kept_.push_back(std::move(mapped.value()));
    shared_info_ = reinterpret_cast<shared_info_t*>(kept_.back().bytes());
    shared_info_->evtchn_mask[0] |= xen_ulong_t{1} << kChannelPort;
    auto memory = DomainMemory::reserve(hypervisor_.foreign_memory(), id_, shape_.pages);
    if (!memory.ok()) {
        return memory.failure();
    }
    memory_ = std::move(memory.value());
    Status failed = hold_zeros();
    return failed ? failed : place_vcpu();
}

Status Domain::place_vcpu() {
    auto own = context();
    if (!own.ok()) {
        return own.failure();
    }
    auto initial = initial_context(own.value(), shape_.page_tables);
    return initial.ok() ? set_context(initial.value()) : Status(initial.failure());
}

Status Domain::hold_zeros() {
    if (!hypervisor_.facts().scrubs_all_memory) {
        return clear_memory();
    }
    if (Status failed = reach_ahead()) {
        return failed;
    }
    /* A Xen built for debugging fills what it clears with something else, everywhere
     * (scrub_one_page, xen/common/page_alloc.c). */
    return is_clear(memory_.bytes().data()) ? kSuccess : clear_memory();
}

Status Domain::reach_ahead() {
    if (Status failed = memory_.reach(0, 1)) {
        return failed;
    }
    for (const FrameRange& range : shape_.reached) {
        if (Status failed = memory_.reach(range.first, range.count)) {
            return failed;
        }
    }
    return kSuccess;
}

Status Domain::clear_memory() {
    if (Status failed = memory_.reach(0, shape_.pages)) {
        return failed;
    }
    const std::span<uint8_t> bytes = memory_.bytes();
    for (size_t offset = 0; offset < bytes.size(); offset += XC_PAGE_SIZE) {
        /* Reading is cheaper than writing, and a page of zeros is the rule. */
        if (!is_clear(bytes.data() + offset)) {
            std::memset(bytes.data() + offset, 0, XC_PAGE_SIZE);
        }
    }
    return kSuccess;
}

/* In pieces of 2 MiB where Xen has them. */
Status Domain::populate() {
    constexpr const char* kPopulate = "xc_domain_populate_physmap";
    xc_interface* const control = hypervisor_.control();
    std::vector<xen_pfn_t> large;
    for (uint64_t frame = 0; frame + kLargePages <= shape_.pages; frame += kLargePages) {
        large.push_back(frame);
    }
    int done = 0;
    if (!large.empty()) {
        done = attempt(kPopulate, [&] {
            return xc_domain_populate_physmap(control, id_, large.size(), kLargeOrder, 0,
                                              large.data());
        });
        if (done < 0) {
            return Failure::from_errno(kPopulate);
        }
    }
    std::vector<xen_pfn_t> small;
    for (uint64_t frame = static_cast<uint64_t>(done) * kLargePages; frame < shape_.pages;
         frame++) {
        small.push_back(frame);
    }
    if (small.empty()) {
        return kSuccess;
    }
    done = attempt(kPopulate, [&] {
        return xc_domain_populate_physmap(control, id_, small.size(), 0, 0, small.data());
    });
    if (done < 0) {
        return Failure::from_errno(kPopulate);
    }
    /* Fewer: Xen has no more memory. */
    return static_cast<size_t>(done) == small.size() ? kSuccess
                                                     : Status(Failure{kPopulate, ENOMEM});
}

Status Domain::start_builder() {
    constexpr const char* kAllocate = "xc_dom_allocate";
    /* The builder's calls print what failed, and do not always set errno. */
    const auto build = [](const char* name, auto call) -> Status {
        errno = 0;
        if (fault_is_due(name) || call() != 0) {
            return Failure{name, errno != 0 ? errno : EINVAL};
        }
        return kSuccess;
    };
    errno = ENOMEM;
    builder_.reset(fault_is_due(kAllocate) ? nullptr
                                           : xc_dom_allocate(hypervisor_.control(),
                                                             shape_.command_line.c_str(), nullptr));
    if (builder_ == nullptr) {
        return Failure::from_errno(kAllocate);
    }
    struct xc_dom_image* const image = builder_.get();
    image->container_type = xc_dom_image::XC_DOM_PV_CONTAINER;
    image->max_vcpus = 1;
    Status failed = build("xc_dom_boot_xen_init", [&] {
        return xc_dom_boot_xen_init(image, hypervisor_.control(), static_cast<domid_t>(id_));
    });
    if (!failed) {
        /* So that the memory can come before the kernel, which would say this. */
        image->guest_type = "xen-3.0-x86_64";
        failed = build("xc_dom_set_arch_hooks", [&] { return xc_dom_set_arch_hooks(image); });
    }
    if (!failed) {
        failed = build("xc_dom_mem_init", [&] {
            return xc_dom_mem_init(image, static_cast<unsigned>(shape_.pages / kMebibytePages));
        });
    }
    if (!failed) {
        failed = build("xc_dom_boot_mem_init", [&] { return xc_dom_boot_mem_init(image); });
    }
    return failed;
}

}  // namespace hatchery
