#include "pagemap.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <iterator>
#include <utility>

namespace hatchery {
namespace {

/* struct page_region, struct pm_scan_arg and PAGEMAP_SCAN of Linux 6.7's uapi/linux/fs.h, which the
 * headers of older distributions lack. */
struct FoundRegion {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};
static_assert(sizeof(FoundRegion) == 24);

struct ScanOrder {
    uint64_t size = sizeof(ScanOrder);
    uint64_t flags = 0;
    uint64_t start = 0;
    uint64_t end = 0;
    uint64_t walk_end = 0;
    uint64_t regions = 0;
    uint64_t regions_count = 0;
    uint64_t most_pages = 0;
    uint64_t category_inverted = 0;
    uint64_t category_mask = 0;
    uint64_t category_anyof_mask = 0;
    uint64_t return_mask = 0;
};
static_assert(sizeof(ScanOrder) == 96);

constexpr unsigned long kScan = _IOC(_IOC_READ | _IOC_WRITE, 'f', 16, sizeof(ScanOrder));
constexpr uint64_t kIsPresent = 1u << 3;
constexpr uint64_t kIsSwapped = 1u << 4; /* or on its way to another place in memory */
constexpr uint64_t kIsZeroPage = 1u << 5;

constexpr const char* kOpen = "open(/proc/self/pagemap)";
constexpr const char* kScanName = "ioctl(PAGEMAP_SCAN)";

/* What the calling thread may do; system calls that glibc has no functions for. */
struct Capabilities {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};

    Status read() {
        return syscall_done("capget", SYS_capget) ? kSuccess
                                                  : Status(Failure::from_errno("capget"));
    }
    Status apply() {
        return syscall_done("capset", SYS_capset) ? kSuccess
                                                  : Status(Failure::from_errno("capset"));
    }

  private:
    bool syscall_done(const char* name, long number) {
        return attempt(name, [&] { return syscall(number, &header, sets); }) == 0;
    }
};

/*
 * With CAP_SYS_ADMIN the file tells physical addresses, to whoever reads it later: an attack on the
 * machine's memory would gain by them. So it is opened without.
 */
Result<Descriptor> open_without_addresses() {
    Capabilities all;
    if (Status failed = all.read()) {
        return *failed;
    }
    Capabilities fewer = all;
    fewer.sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
    if (Status failed = fewer.apply()) {
        return *failed;
    }
    Descriptor descriptor(
        attempt(kOpen, [] { return ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC); }));
    const int error = errno;
    if (Status failed = all.apply()) {
        return *failed;
    }
    if (!descriptor.valid()) {
        return Failure{kOpen, error};
    }
    return descriptor;
}

}  // namespace

Result<std::optional<Pagemap>> Pagemap::open() {
    auto opened = open_without_addresses();
    if (!opened.ok()) {
        const int error = opened.failure().error;
        if (opened.failure().call == kOpen &&
            (error == ENOENT || error == EACCES || error == EPERM)) {
            return std::optional<Pagemap>();
        }
        return opened.failure();
    }
    Pagemap pagemap(std::move(opened.value()));
    PageSet none(0);
    if (Status failed = pagemap.add_backed(nullptr, 0, 0, none)) {
        if (failed->error == ENOTTY) {
            return std::optional<Pagemap>();
        }
        return *failed;
    }
    return std::optional<Pagemap>(std::move(pagemap));
}

Status Pagemap::add_backed(const uint8_t* memory, size_t from, size_t to, PageSet& pages) const {
    const auto base = reinterpret_cast<uintptr_t>(memory);
    FoundRegion regions[32];
    ScanOrder order;
    order.start = base + from;
    order.end = base + to;
    order.regions = reinterpret_cast<uintptr_t>(regions);
    order.regions_count = std::size(regions);
    order.category_inverted = order.category_mask = kIsZeroPage;
    order.category_anyof_mask = kIsPresent | kIsSwapped;
    order.return_mask = order.category_anyof_mask;
    do {
        const int found =
            attempt(kScanName, [&] { return ioctl(descriptor_.get(), kScan, &order); });
        if (found < 0) {
            return Failure::from_errno(kScanName);
        }
        for (int i = 0; i < found; i++) {
            pages.add_bytes(regions[i].start - base, regions[i].end - regions[i].start);
        }
        order.start = order.walk_end;
    } while (order.start < order.end);
    return kSuccess;
}

}  // namespace hatchery
