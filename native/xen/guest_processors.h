/* Which of the host's processors guests run on. */
#ifndef HATCHERY_XEN_GUEST_PROCESSORS_H
#define HATCHERY_XEN_GUEST_PROCESSORS_H

#include <cstdint>
#include <vector>

#include "../machine/result.h"
#include "xen_library.h"

namespace hatchery {

/*
 * Where Dom0 is pinned to some processors (dom0_vcpus_pin on Xen's command line), guests keep to
 * the others: a request goes back and forth between the two, and on one processor each way would
 * wait for the scheduler. Immutable; any thread.
 */
class GuestProcessors {
  public:
    /* As Dom0's affinity is now. */
    static Result<GuestProcessors> of_host(xc_interface* control);

    /* Keeps the vCPU of a domain to them. Nothing to do where guests may run anywhere. */
    Status confine(xc_interface* control, uint32_t domain) const;

  private:
    std::vector<uint8_t> map_; /* a bit for each processor; empty: all */
};

}  // namespace hatchery

#endif
