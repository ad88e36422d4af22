/* The end of domains, off the path of whoever drops them. */
#ifndef HATCHERY_XEN_UNDERTAKER_H
#define HATCHERY_XEN_UNDERTAKER_H

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "../machine/thread.h"
#include "domain_memory.h"
#include "event_channel.h"
#include "foreign_mapping.h"
#include "hypercall_buffer.h"
#include "owner_identity.h"

namespace hatchery {

class Hypervisor;

/*
 * What is left of a domain that its owner dropped. While a page of it is mapped, its number cannot
 * be another domain's, even after somebody else has destroyed it.
 */
struct Remains {
    uint32_t domain = 0;
    DomainHandle handle = {};
    EventChannel channel;
    DomainMemory memory;
    std::vector<ForeignMapping> mappings;
    HypercallBuffer buffer;
};

/*
 * One thread, started with the first domain. Takes orders in their turn; the xenstore entries of
 * all that wait together go in one transaction. Any thread may give orders.
 */
class Undertaker {
  public:
    explicit Undertaker(Hypervisor& hypervisor) : hypervisor_(hypervisor) {}
    Undertaker(const Undertaker&) = delete;
    Undertaker& operator=(const Undertaker&) = delete;

    /* Starts the thread where it does not run yet; must have succeeded before the first order. */
    Status start();

    /* Destroys the domain, and all that this process has of it. */
    void bury(Remains remains);
    /* Writes a domain's new name; for one that is not buried yet. */
    void rename(uint32_t domain, std::string name);

    /* Waits until all orders given so far are done, or CLOCK_MONOTONIC passes `deadline`. Returns
     * whether they are. */
    bool drain(int64_t deadline);

    /*
     * For who is about to make another domain: waits while so many are to be buried that the host's
     * memory might go to the dead, or until CLOCK_MONOTONIC passes `deadline`.
     */
    void wait_for_room(int64_t deadline);

    /* Domains that could not be destroyed, and xenstore entries that could not be removed or
     * renamed, each after some tries; a later start's reapOrphans finds them. */
    size_t failures();

  private:
    struct Name {
        uint32_t domain = 0;
        std::string name;
    };

    bool wait_until_done(std::unique_lock<std::mutex>& lock, uint64_t orders, int64_t deadline);
    void work();
    void carry_out(std::vector<Name> names, std::vector<Remains> remains);
    bool destroy(const Remains& remains);

    Hypervisor& hypervisor_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<Name> names_;
    std::deque<Remains> remains_;
    uint64_t orders_ = 0;  /* given so far */
    uint64_t carried_ = 0; /* done so far */
    size_t failures_ = 0;
    Thread thread_;
};

}  // namespace hatchery

#endif
