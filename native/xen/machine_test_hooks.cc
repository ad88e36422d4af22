/*
 * What only tests may do: leave parts of a rewind out, change a domain behind its machine's back,
 * and look at everything that a machine consists of.
 */
#ifdef HATCHERY_TEST_HOOKS

#include <chrono>
#include <cstring>
#include <thread>

#include "../machine/addon_data.h"
#include "../machine/machine_object.h"
#include "pvh_machine.h"

namespace hatchery {
namespace {

PvhMachine& pvh(Machine& machine) {
    return static_cast<PvhMachine&>(machine);
}

Napi::Uint8Array copy(Napi::Env env, const void* bytes, size_t count) {
    auto array = Napi::Uint8Array::New(env, count);
    std::memcpy(array.Data(), bytes, count);
    return array;
}

Napi::Value set_omit(const Napi::CallbackInfo& info, Machine& machine) {
    pvh(machine).omit = info[0].As<Napi::Number>().Uint32Value();
    return info.Env().Undefined();
}

/* domainId(): its number in `xl list`. */
Napi::Value domain_id(const Napi::CallbackInfo& info, Machine& machine) {
    return Napi::Number::New(info.Env(), pvh(machine).domain().id());
}

/*
 * Lets a vCPU that has answered come to where it waits for the next request: it tells of its answer some
 * instructions before that, and may have been paused in between. One that never ran stays as it is.
 */
Status let_it_wait(Domain& domain) {
    constexpr int kPatienceMilliseconds = 5000;
    for (int tried = 0; tried < kPatienceMilliseconds; tried++) {
        xc_dominfo_t state = {};
        const int found = xc_domain_getinfo(domain.hypervisor().control(), domain.id(), 1, &state);
        if (found != 1 || state.domid != domain.id()) {
            return Failure{"xc_domain_getinfo", found < 0 ? errno : ESRCH};
        }
        if (state.cpu_time == 0 || state.blocked) {
            return kSuccess;
        }
        if (domain.paused()) {
            if (Status failed = domain.unpause()) {
                return failed;
            }
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return Failure{"waiting for a vCPU to wait", ETIMEDOUT};
}

/*
 * state(): {context, frame, sharedInfo, constant}: the vCPU's HVM save records, ring 3's registers,
 * shared_info's page, and the constant part of the memory. Of a machine that has answered, or never ran.
 */
Napi::Value state(const Napi::CallbackInfo& info, Machine& machine) {
    const Napi::Env env = info.Env();
    Domain& domain = pvh(machine).domain();
    const GuestLayout& layout = pvh(machine).snapshot().layout();
    if (const Status failed = let_it_wait(domain)) {
        return throw_failure(env, *failed);
    }
    const bool was_paused = domain.paused();
    /* So that Xen has its registers. */
    if (const Status failed = domain.pause()) {
        return throw_failure(env, *failed);
    }
    auto context = domain.context();
    if (!context.ok()) {
        return throw_failure(env, context.failure());
    }
    if (!was_paused) {
        if (const Status failed = domain.unpause()) {
            return throw_failure(env, *failed);
        }
    }
    if (const Status failed = domain.reach(0, domain.shape().pages)) {
        return throw_failure(env, *failed);
    }
    Napi::Object state = Napi::Object::New(env);
    state.Set("context", copy(env, context.value().data(), context.value().size()));
    const uint8_t* const mailbox = domain.memory().data() + kMailboxPage * HATCHERY_PAGE_BYTES;
    state.Set("frame", copy(env, mailbox + HATCHERY_MAILBOX_FRAME, sizeof(struct hatchery_frame)));
    state.Set("sharedInfo", copy(env, domain.shared_info(), HATCHERY_PAGE_BYTES));
    state.Set("constant", copy(env, domain.memory().data() + layout.constant_start(),
                               layout.constant().size()));
    return state;
}

/*
 * Numbers of the pages that differ from the snapshot. Of the mailbox's, what belongs to the domain
 * does not count.
 */
Napi::Value differing_pages(const Napi::CallbackInfo& info, Machine& machine) {
    Napi::Array pages = Napi::Array::New(info.Env());
    const PvhSnapshot& snapshot = pvh(machine).snapshot();
    Domain& domain = pvh(machine).domain();
    if (const Status failed = domain.reach(0, domain.shape().pages)) {
        return throw_failure(info.Env(), *failed);
    }
    const uint8_t* const memory = domain.memory().data();
    uint32_t found = 0;
    for (size_t page = 0; page < snapshot.memory_bytes() / HATCHERY_PAGE_BYTES; page++) {
        const size_t offset = page * HATCHERY_PAGE_BYTES;
        const size_t skipped = page == kMailboxPage ? HATCHERY_MAILBOX_OPERATION : 0;
        if (std::memcmp(memory + offset + skipped, snapshot.memory().data() + offset + skipped,
                        HATCHERY_PAGE_BYTES - skipped) != 0) {
            pages.Set(found++, static_cast<double>(page));
        }
    }
    return pages;
}

/* writeMailbox(offset, value): sets 8 bytes of the mailbox of a vCPU that waits. */
Napi::Value write_mailbox(const Napi::CallbackInfo& info, Machine& machine) {
    const size_t offset = info[0].As<Napi::Number>().Uint32Value();
    bool lossless = false;
    const uint64_t value = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
    GuestWindow mailbox = {
        pvh(machine).domain().memory().data() + kMailboxPage * HATCHERY_PAGE_BYTES,
        HATCHERY_PAGE_BYTES};
    return Napi::Boolean::New(info.Env(), lossless && mailbox.write(offset, bytes_of(value)));
}

/* notifySpuriously(): an event that answers nothing. */
Napi::Value notify_spuriously(const Napi::CallbackInfo& info, Machine& machine) {
    if (const Status failed = pvh(machine).domain().notify()) {
        return throw_failure(info.Env(), *failed);
    }
    return info.Env().Undefined();
}

/* allocatePort(): one more event channel of the domain's, as a hypercall of its own would. */
Napi::Value allocate_port(const Napi::CallbackInfo& info, Machine& machine) {
    Domain& domain = pvh(machine).domain();
    const int port = xc_evtchn_alloc_unbound(domain.hypervisor().control(), domain.id(), 0);
    if (port < 0) {
        return throw_failure(info.Env(), Failure::from_errno("xc_evtchn_alloc_unbound"));
    }
    return Napi::Number::New(info.Env(), port);
}

/* addPage(): one more page for the domain, behind all others. */
Napi::Value add_page(const Napi::CallbackInfo& info, Machine& machine) {
    Domain& domain = pvh(machine).domain();
    xc_interface* const control = domain.hypervisor().control();
    constexpr uint64_t kPageKibibytes = HATCHERY_PAGE_BYTES / 1024;
    constexpr uint64_t kRoomKibibytes = 1024;
    const DomainShape& shape = domain.shape();
    xen_pfn_t frame = shape.shared_info_frame + 1;
    if (xc_domain_setmaxmem(control, domain.id(), shape.pages * kPageKibibytes + kRoomKibibytes) <
            0 ||
        xc_domain_populate_physmap_exact(control, domain.id(), 1, 0, 0, &frame) < 0) {
        return throw_failure(info.Env(), Failure::from_errno("addPage"));
    }
    return info.Env().Undefined();
}

/* mapGrantTable(): puts a page of Xen's own behind all others. */
Napi::Value map_grant_table(const Napi::CallbackInfo& info, Machine& machine) {
    Domain& domain = pvh(machine).domain();
    if (xc_domain_add_to_physmap(domain.hypervisor().control(), domain.id(),
                                 XENMAPSPACE_grant_table, 0,
                                 domain.shape().shared_info_frame + 1) < 0) {
        return throw_failure(info.Env(), Failure::from_errno("xc_domain_add_to_physmap"));
    }
    return info.Env().Undefined();
}

/* shutDown(reason): as the guest's own SCHEDOP_shutdown. */
Napi::Value shut_down(const Napi::CallbackInfo& info, Machine& machine) {
    Domain& domain = pvh(machine).domain();
    if (xc_domain_shutdown(domain.hypervisor().control(), domain.id(),
                           info[0].As<Napi::Number>().Int32Value()) < 0) {
        return throw_failure(info.Env(), Failure::from_errno("xc_domain_shutdown"));
    }
    return info.Env().Undefined();
}

constexpr MachineTestHook kHooks[] = {
    {"setOmit", set_omit},
    {"domainId", domain_id},
    {"state", state},
    {"differingPages", differing_pages},
    {"writeMailbox", write_mailbox},
    {"notifySpuriously", notify_spuriously},
    {"allocatePort", allocate_port},
    {"addPage", add_page},
    {"mapGrantTable", map_grant_table},
    {"shutDown", shut_down},
};

}  // namespace

std::span<const MachineTestHook> machine_test_hooks() {
    return kHooks;
}

}  // namespace hatchery

#endif
