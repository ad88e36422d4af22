#include "hypervisor.h"

#include <cpuid.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

#include "../machine/clock.h"
#include "../machine/system_call.h"
#include "empty_shells.h"
#include "event_channel.h"
#include "orphans.h"
#include "owner_identity.h"
#include "store_entries.h"
#include "undertaker.h"
#include "xen_library.h"

namespace hatchery {
namespace {

/* Without it, libxenctrl writes each call that fails to the standard error output. Failures go to
 * the caller here. */
void drop_message(xentoollog_logger*, xentoollog_level, int, const char*, const char*, va_list) {}

xentoollog_logger silent_logger = {
    .vmessage = drop_message, .progress = nullptr, .destroy = nullptr};

/* How long the end of the process waits for threads that create domains, and for the undertaker. */
constexpr int64_t kLastWait = 5000000000;
constexpr int kOldestMajor = 4;
constexpr int kOldestMinor = 13;

/* Whether the processor has VMX, of those that Xen runs on, and not SVM: each maker has one. */
bool has_vmx() {
    uint32_t highest = 0, vendor[3] = {};
    if (__get_cpuid(0, &highest, &vendor[0], &vendor[2], &vendor[1]) == 0) {
        return false;
    }
    const std::string_view name(reinterpret_cast<const char*>(vendor), sizeof vendor);
    return name != "AuthenticAMD" && name != "HygonGenuine";
}

/* Whether `word` is in `words`, which spaces part. */
bool has_word(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const size_t end = std::min(words.find(' '), words.size());
        if (words.substr(0, end) == word) {
            return true;
        }
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

}  // namespace

Hypervisor::Hypervisor() = default;

Hypervisor::~Hypervisor() {
    if (foreign_memory_ != nullptr) {
        xenforeignmemory_close(foreign_memory_);
    }
    if (control_ != nullptr) {
        xc_interface_close(control_);
    }
}

Result<Hypervisor*> Hypervisor::shared() {
    static std::mutex mutex;
    static Hypervisor* opened = nullptr;
    const std::lock_guard lock(mutex);
    if (opened == nullptr) {
        auto made = open();
        if (!made.ok()) {
            return made.failure();
        }
        opened = made.value().release();
        std::atexit([] { opened->end_with_process(); });
    }
    return opened;
}

/*
 * Leaves nothing that the next start would have to reap. process.exit() drops no object of
 * JavaScript's, and no thread stops for it: so domains are destroyed under their owners' hands.
 */
void Hypervisor::end_with_process() {
    const int64_t deadline = monotonic_now() + kLastWait;
    creation_gate_.close(deadline);
    undertaker_->drain(deadline);
    /* There is nobody left to be told of a failure; reap_orphans finds what stays. */
    (void)destroy_own_domains(*this);
}

Result<std::unique_ptr<Hypervisor>> Hypervisor::open() {
    std::unique_ptr<Hypervisor> made(new Hypervisor);
    if (Status failed = made->open_handles()) {
        return *failed;
    }
    if (Status failed = made->learn_facts()) {
        return *failed;
    }
    auto processors = GuestProcessors::of_host(made->control_);
    if (!processors.ok()) {
        return processors.failure();
    }
    made->guest_processors_ = processors.value();
    auto owner = OwnerIdentity::of_this_process();
    if (!owner.ok()) {
        return owner.failure();
    }
    made->owner_ = std::make_unique<OwnerIdentity>(owner.value());
    made->event_handles_ = std::make_unique<EventHandles>();
    if (Status failed = made->event_handles_->reserve(1)) {
        return *failed;
    }
    auto store = StoreEntries::open();
    if (!store.ok()) {
        return store.failure();
    }
    made->store_ = std::move(store.value());
    made->undertaker_ = std::make_unique<Undertaker>(*made);
    made->shells_ = std::make_unique<EmptyShells>(*made);
    return made;
}

Status Hypervisor::open_handles() {
    constexpr const char* kControl = "xc_interface_open";
    constexpr const char* kForeignMemory = "xenforeignmemory_open";
    if (!fault_is_due(kControl)) {
        control_ = xc_interface_open(&silent_logger, &silent_logger, 0);
    }
    if (control_ == nullptr) {
        return Failure::from_errno(kControl);
    }
    if (!fault_is_due(kForeignMemory)) {
        foreign_memory_ = xenforeignmemory_open(&silent_logger, 0);
    }
    if (foreign_memory_ == nullptr) {
        return Failure::from_errno(kForeignMemory);
    }
    return kSuccess;
}

Status Hypervisor::learn_facts() {
    constexpr const char* kVersion = "xc_version";
    constexpr const char* kPhysical = "xc_physinfo";
    const int version =
        attempt(kVersion, [&] { return xc_version(control_, XENVER_version, nullptr); });
    xen_extraversion_t extra = {};
    xen_commandline_t command_line = {};
    if (version < 0 ||
        attempt(
            kVersion, [&] { return xc_version(control_, XENVER_extraversion, extra); }) < 0 ||
        attempt(
            kVersion, [&] { return xc_version(control_, XENVER_commandline, command_line); }) < 0) {
        return Failure::from_errno(kVersion);
    }
    const int major = version >> 16;
    const int minor = version & 0xffff;
    facts_.version = std::to_string(major) + "." + std::to_string(minor) +
                     std::string(extra, strnlen(extra, sizeof extra));
    if (major < kOldestMajor || (major == kOldestMajor && minor < kOldestMinor)) {
        return Failure{kVersion, ENOTSUP};
    }
    xc_physinfo_t physical = {};
    if (attempt(kPhysical, [&] { return xc_physinfo(control_, &physical); }) < 0) {
        /* Xen's answer to a caller that was built for another version of its interface. */
        return Failure{kPhysical, errno == EACCES ? ENOTSUP : errno};
    }
    constexpr uint32_t kHvm = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap;
    facts_.has_hvm = (physical.capabilities & kHvm) == kHvm;
    facts_.tsc_hertz = uint64_t{physical.cpu_khz} * 1000;
    facts_.vmcall = has_vmx();
    const std::string_view words(command_line, strnlen(command_line, sizeof command_line));
    /* What a boot loader or Dom0's kernel left in memory is cleared once, as Xen starts, unless
     * somebody has told it not to. */
    bool skips_first = false;
    for (const char* word : {"bootscrub=off", "bootscrub=0", "bootscrub=no", "bootscrub=false",
                             "bootscrub=disable", "no-bootscrub"}) {
        skips_first = skips_first || has_word(words, word);
    }
    facts_.scrubs_all_memory = has_word(words, "scrub-domheap") && !skips_first;
    return kSuccess;
}

}  // namespace hatchery
