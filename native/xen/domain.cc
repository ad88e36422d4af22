#include "domain.h"

#include <cstring>

#include "../machine/system_call.h"
#include "checked_call.h"
#include "domain_list.h"
#include "undertaker.h"

namespace hatchery {

Domain::Domain(Hypervisor& hypervisor, const DomainShape& shape)
    : hypervisor_(hypervisor), shape_(shape) {}

Domain::~Domain() {
    builder_.reset(); /* its mappings are of the domain */
    if (!exists_) {
        return;
    }
    Remains remains;
    remains.domain = id_;
    remains.handle = handle_;
    remains.channel = std::move(channel_);
    remains.memory = std::move(memory_);
    remains.mappings = std::move(kept_);
    remains.buffer = std::move(dirty_bitmap_);
    hypervisor_.undertaker().bury(std::move(remains));
}

void Domain::rename(const std::string& name) {
    hypervisor_.undertaker().rename(id_, store_name(name));
}

std::string Domain::store_name(const std::string& name) const {
    return name + "-" + std::to_string(id_);
}

Result<ForeignMapping> Domain::map(xen_pfn_t first, size_t count, Access access) const {
    std::vector<xen_pfn_t> frames(count);
    for (size_t i = 0; i < count; i++) {
        frames[i] = first + i;
    }
    return map(frames, access);
}

Result<ForeignMapping> Domain::map(std::span<const xen_pfn_t> frames, Access access) const {
    return ForeignMapping::map(hypervisor_.foreign_memory(), id_, frames, access);
}

Status Domain::reach(const PageSet& pages) {
    Status failed;
    pages.for_each_run([&](size_t first, size_t count) {
        if (!failed) {
            failed = memory_.reach(first, count);
        }
    });
    return failed;
}

Status Domain::set_context(std::span<const uint8_t> records) {
    return checked("xc_domain_hvm_setcontext", [&] {
        /* It takes the records as a plain pointer, and only reads them (xc_domain.c). */
        return xc_domain_hvm_setcontext(hypervisor_.control(), id_,
                                        const_cast<uint8_t*>(records.data()),
                                        static_cast<uint32_t>(records.size()));
    });
}

Result<std::vector<uint8_t>> Domain::context() const {
    constexpr const char* kGet = "xc_domain_hvm_getcontext";
    xc_interface* const control = hypervisor_.control();
    int size = attempt(kGet, [&] { return xc_domain_hvm_getcontext(control, id_, nullptr, 0); });
    if (size < 0) {
        return Failure::from_errno(kGet);
    }
    std::vector<uint8_t> records(static_cast<size_t>(size));
    size = attempt(kGet, [&] {
        return xc_domain_hvm_getcontext(control, id_, records.data(),
                                        static_cast<uint32_t>(records.size()));
    });
    if (size < 0) {
        return Failure::from_errno(kGet);
    }
    records.resize(static_cast<size_t>(size));
    return records;
}

Status Domain::pause() {
    if (paused_) {
        return kSuccess;
    }
    Status failed =
        checked("xc_domain_pause", [&] { return xc_domain_pause(hypervisor_.control(), id_); });
    paused_ = !failed;
    return failed;
}

Status Domain::unpause() {
    if (!paused_) {
        return kSuccess;
    }
    Status failed =
        checked("xc_domain_unpause", [&] { return xc_domain_unpause(hypervisor_.control(), id_); });
    paused_ = failed.has_value();
    return failed;
}

Status Domain::resume() {
    /* "Fast": the vCPU goes on as it is, and no page is rewritten (xc_resume.c). */
    return checked("xc_domain_resume",
                   [&] { return xc_domain_resume(hypervisor_.control(), id_, 1); });
}

Status Domain::enable_dirty_log() {
    auto bitmap = HypercallBuffer::allocate(hypervisor_.control(), (shape_.pages + 7) / 8);
    if (!bitmap.ok()) {
        return bitmap.failure();
    }
    dirty_bitmap_ = std::move(bitmap.value());
    return checked("xc_shadow_control(ENABLE_LOGDIRTY)", [&] {
        return xc_shadow_control(hypervisor_.control(), id_, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY,
                                 nullptr, 0);
    });
}

Status Domain::peek_dirty(PageSet& pages) {
    constexpr const char* kPeek = "xc_logdirty_control(PEEK)";
    if (!dirty_bitmap_.valid()) {
        return Failure{kPeek, EINVAL};
    }
    xc_shadow_op_stats_t stats;
    const auto done = attempt(kPeek, [&] {
        return xc_logdirty_control(hypervisor_.control(), id_, XEN_DOMCTL_SHADOW_OP_PEEK,
                                   dirty_bitmap_.get(), shape_.pages, 0, &stats);
    });
    if (done < 0) {
        return Failure::from_errno(kPeek);
    }
    /* Bit n of byte m is page 8m + n: the layout of PageSet on this processor. */
    std::memcpy(pages.words(), dirty_bitmap_.bytes(), (shape_.pages + 7) / 8);
    return kSuccess;
}

Result<DomainState> Domain::state() const {
    auto found = find_domain(hypervisor_.control(), id_);
    if (!found.ok()) {
        return found.failure();
    }
    const auto& info = found.value();
    if (!info || !has_handle(*info, handle_) || (info->flags & XEN_DOMINF_dying) != 0) {
        return Failure{"xc_domain_getinfolist", ESRCH};
    }
    DomainState state;
    if ((info->flags & XEN_DOMINF_shutdown) != 0) {
        state.shutdown_reason = info->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask;
    }
    state.cpu_nanoseconds = static_cast<int64_t>(info->cpu_time);
    state.pages = info->tot_pages;
    return state;
}

Result<bool> Domain::has_only_channel_port() const {
    constexpr const char* kStatus = "xc_evtchn_status";
    xc_evtchn_status_t status = {};
    status.dom = static_cast<domid_t>(id_);
    /* Xen gives out the lowest free port (evtchn_get_port), so this one goes first. */
    status.port = kChannelPort + 1;
    if (attempt(kStatus, [&] { return xc_evtchn_status(hypervisor_.control(), &status); }) < 0) {
        return Failure::from_errno(kStatus);
    }
    return status.status == EVTCHNSTAT_closed;
}

}  // namespace hatchery
