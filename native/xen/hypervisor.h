/* Xen, as a process in Dom0 talks to it: the handles that everything else uses, and its facts. */
#ifndef HATCHERY_XEN_HYPERVISOR_H
#define HATCHERY_XEN_HYPERVISOR_H

#include <cstdint>
#include <memory>
#include <string>

#include "../machine/result.h"
#include "creation_gate.h"
#include "guest_processors.h"
#include "xen_library.h"

namespace hatchery {

class EmptyShells;
class EventHandles;
class OwnerIdentity;
class StoreEntries;
class Undertaker;

/* What a driver needs to know of the host. */
struct HypervisorFacts {
    std::string version;    /* "4.17.5", as `xl info` says it */
    uint64_t tsc_hertz = 0; /* of the host's time-stamp counter, which guests read unscaled */
    bool has_hvm = false;   /* PVH domains can be made: hardware virtualisation with paging */
    bool vmcall = false;    /* VMX: the hypercall instruction is VMCALL; else SVM: VMMCALL */
    /*
     * Xen clears all memory that any domain gives back ("scrub-domheap" on its command line), so
     * that new memory needs no look. Else it leaves what a living domain gave back as it was.
     */
    bool scrubs_all_memory = false;
};

/*
 * The handles of this process, opened once and kept: a process that gave up its rights could not
 * open them again. All of it may be used from any thread at any time: libxenctrl and
 * libxenforeignmemory keep nothing in a handle that calls could spoil for each other (xencall.h,
 * xenforeignmemory.h), and the parts below lock for themselves.
 *
 * One for the process, never destroyed: threads of several Node environments share it.
 */
class Hypervisor {
  public:
    /*
     * That of this process, opened at first use; a failure is forgotten, so that the next call
     * tries again. Failures: ENOENT or EACCES where this is no Dom0 or not its root, ENOTSUP where
     * the Xen is not one that this was built for, those of "xs_open" without a xenstored.
     */
    static Result<Hypervisor*> shared();

    Hypervisor(const Hypervisor&) = delete;
    Hypervisor& operator=(const Hypervisor&) = delete;
    ~Hypervisor();

    const HypervisorFacts& facts() const { return facts_; }
    const GuestProcessors& guest_processors() const { return guest_processors_; }
    xc_interface* control() const { return control_; }
    xenforeignmemory_handle* foreign_memory() const { return foreign_memory_; }

    /* Who this process is, in the handles of its domains. */
    const OwnerIdentity& owner() const { return *owner_; }
    /* For Domain::create. */
    CreationGate& creation_gate() { return creation_gate_; }
    /* Event channel handles, opened ahead. */
    EventHandles& event_handles() { return *event_handles_; }
    /* Names of domains in xenstore. */
    StoreEntries& store() { return *store_; }
    /* Destroys domains off their owners' path. */
    Undertaker& undertaker() { return *undertaker_; }
    /* Domains made ahead. */
    EmptyShells& shells() { return *shells_; }

  private:
    Hypervisor();
    static Result<std::unique_ptr<Hypervisor>> open();
    Status open_handles();
    Status learn_facts();
    void end_with_process();

    HypervisorFacts facts_;
    GuestProcessors guest_processors_;
    CreationGate creation_gate_;
    xc_interface* control_ = nullptr;
    xenforeignmemory_handle* foreign_memory_ = nullptr;
    /* Order matters: a later one uses the earlier ones. */
    std::unique_ptr<OwnerIdentity> owner_;
    std::unique_ptr<EventHandles> event_handles_;
    std::unique_ptr<StoreEntries> store_;
    std::unique_ptr<Undertaker> undertaker_;
    std::unique_ptr<EmptyShells> shells_;
};

}  // namespace hatchery

#endif
