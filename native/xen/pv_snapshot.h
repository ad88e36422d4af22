/* What PV machines start from: the image's file, and its configuration. */
#ifndef HATCHERY_XEN_PV_SNAPSHOT_H
#define HATCHERY_XEN_PV_SNAPSHOT_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "../machine/snapshot.h"
#include "empty_shells.h"
#include "hypervisor.h"

namespace hatchery {

struct PvImage {
    std::string name; /* of its domains; see Domain::create */
    /* A static ELF file with entries for PV (images/kernel/xen). */
    std::vector<uint8_t> file;
    /* Rows of struct hatchery_item; may be empty. */
    std::vector<uint8_t> configuration;
    /* What instances have on other platforms, read-only segments included. */
    size_t memory_bytes = 0;
};

/*
 * An image that has not run. There is no other kind: the page tables of a PV domain name the
 * machine's own pages, so that no copy of its memory could run. Immutable.
 */
class PvSnapshot final : public Snapshot, public std::enable_shared_from_this<PvSnapshot> {
  public:
    /* Keeps `empty_shells` empty domains ready for its machines. */
    static Result<std::shared_ptr<PvSnapshot>> load(Hypervisor& hypervisor, PvImage image,
                                                    size_t empty_shells);

    size_t memory_bytes() const override { return image_.memory_bytes; }

    /* `keep_log` changes nothing: Xen keeps no record of what a PV domain writes, and its machines
     * refuse what needs one. ENOEXEC where Xen's builder does not take the file for a PV kernel. */
    Result<std::unique_ptr<Machine>> create_machine(bool keep_log) override;

  private:
    PvSnapshot(Hypervisor& hypervisor, PvImage image);
    /* Builds the image into the empty domain, as Xen's own toolstack does. */
    Status build(Domain& domain) const;

    Hypervisor& hypervisor_;
    const PvImage image_;
    DomainShape shape_;
    xen_pfn_t mailbox_page_ = 0;
    std::unique_ptr<EmptyShells::Reservation> shells_;
};

}  // namespace hatchery

#endif
