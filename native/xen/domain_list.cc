#include "domain_list.h"

#include <algorithm>
#include <iterator>

#include "../machine/system_call.h"

namespace hatchery {
namespace {

constexpr const char* kList = "xc_domain_getinfolist";
constexpr unsigned kAtATime = 256;

}  // namespace

Result<std::optional<xc_domaininfo_t>> find_domain(xc_interface* control, uint32_t domain) {
    xc_domaininfo_t found = {};
    const int count =
        attempt(kList, [&] { return xc_domain_getinfolist(control, domain, 1, &found); });
    if (count < 0) {
        return Failure::from_errno(kList);
    }
    /* The list starts at the first domain that has this number or a higher one. */
    if (count == 0 || found.domain != domain) {
        return std::optional<xc_domaininfo_t>();
    }
    return std::optional(found);
}

Result<std::vector<xc_domaininfo_t>> list_domains(xc_interface* control) {
    std::vector<xc_domaininfo_t> all;
    for (uint32_t first = 0;;) {
        std::vector<xc_domaininfo_t> some(kAtATime);
        const int count = attempt(
            kList, [&] { return xc_domain_getinfolist(control, first, kAtATime, some.data()); });
        if (count < 0) {
            return Failure::from_errno(kList);
        }
        all.insert(all.end(), some.begin(), some.begin() + count);
        if (static_cast<unsigned>(count) < kAtATime) {
            return all;
        }
        first = all.back().domain + 1u;
    }
}

bool has_handle(const xc_domaininfo_t& domain, const DomainHandle& handle) {
    return std::equal(std::begin(domain.handle), std::end(domain.handle), handle.begin(),
                      handle.end());
}

}  // namespace hatchery
