#include "orphans.h"

#include <vector>

#include "../machine/system_call.h"
#include "domain.h"
#include "domain_list.h"
#include "store_entries.h"

namespace hatchery {
namespace {

/* Whether a process has bound the domain's channel. The port goes back to "unbound" by itself when
 * the process ends. */
Result<bool> has_peer(xc_interface* control, uint32_t domain) {
    constexpr const char* kStatus = "xc_evtchn_status";
    xc_evtchn_status_t status = {};
    status.dom = static_cast<domid_t>(domain);
    status.port = kChannelPort;
    if (attempt(kStatus, [&] { return xc_evtchn_status(control, &status); }) < 0) {
        return Failure::from_errno(kStatus);
    }
    return status.status == EVTCHNSTAT_interdomain;
}

Result<bool> is_orphan(Hypervisor& hypervisor, const xc_domaininfo_t& domain) {
    const auto owner = OwnerIdentity::read(domain.handle);
    if (!owner || owner->alive()) {
        return false;
    }
    auto belongs = hypervisor.store().belongs_to_toolstack(domain.domain);
    if (!belongs.ok()) {
        return belongs.failure();
    }
    if (belongs.value()) {
        return false;
    }
    if ((domain.flags & XEN_DOMINF_dying) != 0) {
        return true; /* its ports are closed; its end may have been interrupted */
    }
    auto peer = has_peer(hypervisor.control(), domain.domain);
    if (!peer.ok()) {
        return peer.failure();
    }
    return !peer.value();
}

Status destroy(xc_interface* control, uint32_t domain) {
    constexpr const char* kDestroy = "xc_domain_destroy";
    if (attempt(kDestroy, [&] { return xc_domain_destroy(control, domain); }) < 0) {
        return Failure::from_errno(kDestroy);
    }
    return kSuccess;
}

/* Whether the process that the handle names has made it; no toolstack keeps entries for those. */
Result<bool> is_own(Hypervisor& hypervisor, const xc_domaininfo_t& domain) {
    const auto owner = OwnerIdentity::read(domain.handle);
    if (!owner || *owner != hypervisor.owner().owner()) {
        return false;
    }
    auto belongs = hypervisor.store().belongs_to_toolstack(domain.domain);
    return belongs.ok() ? Result<bool>(!belongs.value()) : belongs;
}

}  // namespace

Result<Reaped> reap_orphans(Hypervisor& hypervisor) {
    auto domains = list_domains(hypervisor.control());
    if (!domains.ok()) {
        return domains.failure();
    }
    Reaped reaped;
    Status failed;
    /* Somebody else's end of a domain (ESRCH) is none of ours. */
    const auto note = [&](const Failure& failure) {
        if (failure.error != ESRCH) {
            failed = failure;
        }
    };
    for (const xc_domaininfo_t& domain : domains.value()) {
        auto orphan = is_orphan(hypervisor, domain);
        if (!orphan.ok()) {
            note(orphan.failure());
        } else if (orphan.value()) {
            if (Status refused = destroy(hypervisor.control(), domain.domain)) {
                note(*refused);
            } else if ((domain.flags & XEN_DOMINF_dying) == 0) {
                reaped.domains++;
            }
        }
    }
    auto entries = hypervisor.store().list();
    if (!entries.ok()) {
        return entries.failure();
    }
    for (const StoreEntries::Entry& entry : entries.value()) {
        const auto owner = OwnerIdentity::read(entry.handle);
        if (!owner || owner->alive()) {
            continue;
        }
        auto removed = hypervisor.store().remove_orphan(entry, [&]() -> Result<bool> {
            auto found = find_domain(hypervisor.control(), entry.domain);
            if (!found.ok()) {
                return found.failure();
            }
            return !found.value() || (found.value()->flags & XEN_DOMINF_dying) != 0;
        });
        if (!removed.ok()) {
            note(removed.failure());
        } else if (removed.value()) {
            reaped.entries++;
        }
    }
    if (failed) {
        return *failed;
    }
    return reaped;
}

Status destroy_own_domains(Hypervisor& hypervisor) {
    auto domains = list_domains(hypervisor.control());
    if (!domains.ok()) {
        return domains.failure();
    }
    Status failed;
    std::vector<uint32_t> ended;
    for (const xc_domaininfo_t& domain : domains.value()) {
        auto own = is_own(hypervisor, domain);
        if (!own.ok()) {
            failed = own.failure();
        } else if (own.value()) {
            if (Status refused = destroy(hypervisor.control(), domain.domain)) {
                failed = refused;
            } else {
                ended.push_back(domain.domain);
            }
        }
    }
    if (!ended.empty()) {
        if (Status refused = hypervisor.store().remove(ended)) {
            failed = refused;
        }
    }
    return failed;
}

}  // namespace hatchery
