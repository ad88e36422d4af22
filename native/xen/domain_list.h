/* Xen's own list of domains. */
#ifndef HATCHERY_XEN_DOMAIN_LIST_H
#define HATCHERY_XEN_DOMAIN_LIST_H

#include <optional>
#include <vector>

#include "../machine/result.h"
#include "owner_identity.h"
#include "xen_library.h"

namespace hatchery {

/* A domain by its number; nothing where there is none. Dying domains are still found. */
Result<std::optional<xc_domaininfo_t>> find_domain(xc_interface* control, uint32_t domain);

/* All domains. */
Result<std::vector<xc_domaininfo_t>> list_domains(xc_interface* control);

bool has_handle(const xc_domaininfo_t& domain, const DomainHandle& handle);

}  // namespace hatchery

#endif
