/* Whose a domain is: written into the handle that Xen keeps for it, from its creation on. */
#ifndef HATCHERY_XEN_OWNER_IDENTITY_H
#define HATCHERY_XEN_OWNER_IDENTITY_H

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "../machine/result.h"

namespace hatchery {

/* 16 bytes that Xen keeps for a domain; `xl list` shows them as its UUID. */
using DomainHandle = std::array<uint8_t, 16>;

/*
 * A process, told apart from all others since the host's boot: process numbers are used again, but
 * not with the same start time. Another boot needs no telling apart: Xen, its domains and
 * xenstore's content end with it.
 */
struct Owner {
    pid_t process = 0;
    uint64_t start_ticks = 0; /* since boot, as /proc/PID/stat has it */

    bool operator==(const Owner&) const = default;

    /*
     * Whether it lives. A process that is only waited for by its parent does not. Where /proc
     * cannot tell, it does: what a living process has must not be taken.
     */
    bool alive() const;
};

/*
 * Handles of this process's domains: 4 bytes that mark Hatchery's, 3 the process number, 5 its
 * start time, 4 a count. All are big-endian.
 */
class OwnerIdentity {
  public:
    /* Of the calling process. Fails where /proc is not mounted. */
    static Result<OwnerIdentity> of_this_process();

    explicit OwnerIdentity(const Owner& owner) : owner_(owner) {}
    OwnerIdentity(const OwnerIdentity& other) : owner_(other.owner_) {}

    const Owner& owner() const { return owner_; }
    /* A handle that no other living domain has. Any thread. */
    DomainHandle new_handle() const;

    /* The owner that a handle names; nothing where it is not one of ours. */
    static std::optional<Owner> read(std::span<const uint8_t, 16> handle);

  private:
    Owner owner_;
    mutable std::atomic<uint32_t> count_{0};
};

/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", as `xl list` shows it; and back. */
std::string handle_to_text(std::span<const uint8_t, 16> handle);
std::optional<DomainHandle> handle_from_text(const std::string& text);

}  // namespace hatchery

#endif
