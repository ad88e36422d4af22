/* One Xen domain: created empty and paused, and whatever its owner does with it until its end. */
#ifndef HATCHERY_XEN_DOMAIN_H
#define HATCHERY_XEN_DOMAIN_H

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "../machine/page_set.h"
#include "../machine/result.h"
#include "domain_memory.h"
#include "event_channel.h"
#include "foreign_mapping.h"
#include "hypercall_buffer.h"
#include "hypervisor.h"
#include "owner_identity.h"
#include "xen_library.h"

namespace hatchery {

enum class GuestType { kPvh, kPv };

/* Guest frames first .. first + count - 1. */
struct FrameRange {
    size_t first = 0;
    size_t count = 0;

    bool operator==(const FrameRange&) const = default;
};

/* What a domain is made with; two domains with equal shapes can stand in for each other. */
struct DomainShape {
    GuestType type = GuestType::kPvh;
    /* Memory in pages of 4 KiB, from 256 (1 MiB); of PVH, the guest frames 0 .. pages - 1. */
    uint64_t pages = 0;
    /* PVH: the guest frame of shared_info, not below `pages`. */
    xen_pfn_t shared_info_frame = 0;
    /* PVH: the guest physical address of the highest page table, with which the vCPU starts. */
    uint64_t page_tables = 0;
    /* PVH: what will be reached in any case, and so is at the creation. */
    std::vector<FrameRange> reached;
    /* PV: the command line that the builder hands to the guest. */
    std::string command_line;

    bool operator==(const DomainShape&) const = default;
};

/* What Xen knows of a domain. */
struct DomainState {
    /* The reason that the guest gave (SHUTDOWN_* in xen/sched.h; 3 is a crash), once it has. */
    std::optional<uint32_t> shutdown_reason;
    int64_t cpu_nanoseconds = 0; /* processor time of its vCPU so far */
    uint64_t pages = 0;          /* that it has, the shared ones of Xen's not counted */
};

/*
 * The port of the domain's that its event channel to this process has: the first, as nothing has
 * allocated another before.
 */
inline constexpr uint32_t kChannelPort = 1;

/*
 * Domains are created paused. Any thread, one at a time. Every call may fail with ESRCH: somebody
 * else has destroyed the domain (`xl destroy`); then the owner drops it, like any other.
 *
 * The destructor returns at once: the undertaker's thread unmaps, destroys and takes the names out
 * of xenstore.
 */
class Domain {
  public:
    /*
     * Creates a domain with one vCPU of the host's CPU policy and its native time-stamp counter.
     *
     * PVH: the memory is there and holds zeros. shared_info is at its frame, mapped here
     * (shared_info()), with the channel's port masked in it. The vCPU is to start at the stub's
     * entry (vcpu_context.h).
     *
     * PV: builder() has its memory populated, no kernel parsed yet, nothing built. The memory is a
     * multiple of 1 MiB.
     *
     * Both: port kChannelPort is bound to this process. `name` is what `xl list` shows, followed by
     * "-" and the domain's number.
     *
     * Failures: EINVAL for a shape that cannot be, ENOMEM where Xen has no more memory even after
     * all domains dropped so far are gone, ECANCELED at the end of the process, others of the call
     * that failed.
     */
    static Result<std::unique_ptr<Domain>> create(Hypervisor& hypervisor, const DomainShape& shape,
                                                  const std::string& name);
    ~Domain();
    Domain(const Domain&) = delete;
    Domain& operator=(const Domain&) = delete;

    uint32_t id() const { return id_; }
    const DomainShape& shape() const { return shape_; }
    Hypervisor& hypervisor() const { return hypervisor_; }

    /* Changes the name in xenstore, soon: a thread of its own writes it. */
    void rename(const std::string& name);

    /* Maps `count` frames from `first`, or the frames listed; see ForeignMapping. */
    Result<ForeignMapping> map(xen_pfn_t first, size_t count, Access access) const;
    Result<ForeignMapping> map(std::span<const xen_pfn_t> frames, Access access) const;
    /* Takes over a mapping that is to last as long as the domain. The undertaker unmaps it, off
     * the caller's path and after the domain's end. */
    void keep(ForeignMapping mapping) { kept_.push_back(std::move(mapping)); }

    /*
     * PVH: where the guest frames 0 .. shape().pages - 1 are, as long as the domain lives; before
     * the first access to a page, reach() it: the others fault. Hostile while the guest may run:
     * see GuestWindow.
     */
    std::span<uint8_t> memory() const { return memory_.bytes(); }
    Status reach(size_t first, size_t count) { return memory_.reach(first, count); }
    Status reach(const PageSet& pages);
    /* PVH: its one page. */
    shared_info_t* shared_info() const { return shared_info_; }
    /* PV: the state of libxenguest's builder; nullptr once dropped. */
    struct xc_dom_image* builder() const { return builder_.get(); }
    void drop_builder() { builder_.reset(); }

    /* PVH: the vCPU's state as HVM save records (xen/hvm/save.h). The domain must be paused. */
    Status set_context(std::span<const uint8_t> records);
    Result<std::vector<uint8_t>> context() const;

    /* Idempotent, unlike Xen's own calls, which count. */
    Status pause();
    Status unpause();
    bool paused() const { return paused_; }
    /* After the guest shut down or crashed: lets its vCPU run again, once unpaused. */
    Status resume();

    /* Raises the channel's event in the guest. */
    Status notify() { return channel_.notify(); }
    /*
     * Waits for the guest's event: true when there was one, false once CLOCK_MONOTONIC passes
     * `deadline` (nanoseconds; one in the past: looks without waiting). Events are not counted and
     * may be spurious: Xen raises one when the channel is bound. That a domain died raises none.
     */
    Result<bool> wait(int64_t deadline) { return channel_.wait(deadline); }

    /* PVH: from now on Xen records the pages that the guest writes; those that this process writes
     * through a mapping are not recorded. */
    Status enable_dirty_log();
    /* Fills in the guest frames below shape().pages written since enable_dirty_log, for ever:
     * nothing is taken off the record. Xen pauses the domain meanwhile. `pages` has that size. */
    Status peek_dirty(PageSet& pages);

    Result<DomainState> state() const;
    /* Whether no port but the channel's is in use. */
    Result<bool> has_only_channel_port() const;

  private:
    struct BuilderDeleter {
        void operator()(struct xc_dom_image* image) const { xc_dom_release(image); }
    };

    Domain(Hypervisor& hypervisor, const DomainShape& shape);
    static Result<std::unique_ptr<Domain>> try_create(Hypervisor& hypervisor,
                                                      const DomainShape& shape,
                                                      const std::string& name);
    Status create_empty();
    Status configure();
    Status open_channel();
    Status add_memory();
    Status populate();
    Status reach_ahead();
    Status place_vcpu();
    Status hold_zeros();
    Status clear_memory();
    Status start_builder();
    /* `name` as xenstore has it. */
    std::string store_name(const std::string& name) const;

    Hypervisor& hypervisor_;
    const DomainShape shape_;
    uint32_t id_ = 0;
    bool exists_ = false;
    bool paused_ = true;
    DomainHandle handle_ = {};
    EventChannel channel_;
    std::vector<ForeignMapping> kept_;
    DomainMemory memory_;
    shared_info_t* shared_info_ = nullptr;
    std::unique_ptr<struct xc_dom_image, BuilderDeleter> builder_;
    HypercallBuffer dirty_bitmap_;
};

}  // namespace hatchery

#endif
