/* Domains and xenstore entries that a Hatchery process left behind when it was killed. */
#ifndef HATCHERY_XEN_ORPHANS_H
#define HATCHERY_XEN_ORPHANS_H

#include <cstddef>

#include "hypervisor.h"

namespace hatchery {

/* What was reaped. */
struct Reaped {
    size_t domains = 0;
    size_t entries = 0; /* of domains that were gone already */
};

/*
 * Destroys every domain of a Hatchery process that lives no more, and removes the xenstore entries
 * of those that are gone. A domain is taken for an orphan only where
 *
 *   - its handle is one that Hatchery writes (OwnerIdentity), and no process lives that it names;
 *   - no process holds the other end of its event channel: one that this process cannot see, from
 *     inside a container, may live all the same;
 *   - no toolstack keeps entries for it: somebody may have given the same UUID to `xl create`.
 *
 * Safe to run in several processes at once. Goes on where one domain cannot be destroyed; the
 * failure is then the result, after all others were.
 */
Result<Reaped> reap_orphans(Hypervisor& hypervisor);

/*
 * Destroys all domains of this process that live, and removes their xenstore entries: for its end,
 * when nothing creates one any more. Goes on after a failure; the last is the result.
 */
Status destroy_own_domains(Hypervisor& hypervisor);

}  // namespace hatchery

#endif
