#include "fake_kvm.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../../native/kvm/ioctl_numbers.h"
#include "../../native/kvm/resume_stub.h"
#include "../../native/machine/system_call.h"

namespace hatchery {
namespace fuzz {
namespace {

constexpr size_t kRunBytes = 3 * HATCHERY_PAGE_BYTES;
constexpr int kErrors[] = {ENOMEM, EINVAL, EIO, EMFILE, EAGAIN, EFAULT, ENOSPC, EBADF};

FakeGuest guest;
struct kvm_run* run = nullptr; /* a second view of the vCPU's */
uint8_t* memory = nullptr;     /* slot 0, as the machine maps it, and slot 3 behind it */
size_t memory_bytes = 0;
size_t recorded_bytes = 0; /* those of slot 0 */
std::vector<uint64_t> written;

int error() {
    return guest.input->PickValueInArray(kErrors);
}

void store(uint64_t address, const std::vector<uint8_t>& bytes) {
    /* The host's own pages are not writable for a guest. */
    if (memory == nullptr || bytes.empty() || address < kResumeBytes || address >= memory_bytes ||
        bytes.size() > memory_bytes - address) {
        return;
    }
    std::memcpy(memory + address, bytes.data(), bytes.size());
    for (uint64_t page = address / HATCHERY_PAGE_BYTES;
         page <= (address + bytes.size() - 1) / HATCHERY_PAGE_BYTES &&
         page < recorded_bytes / HATCHERY_PAGE_BYTES;
         page++) {
        written[page / 64] |= uint64_t{1} << page % 64;
    }
}

void store_something() {
    FuzzedDataProvider& input = *guest.input;
    const auto target = input.ConsumeIntegral<uint8_t>() % 4;
    if (target == 0) { /* the lengths in the control block, which decide most */
        constexpr uint32_t kLengths[] = {
            0,
            1,
            16,
            HATCHERY_LOG_WINDOW_BYTES,
            HATCHERY_LOG_WINDOW_BYTES + 1,
            0x40000,
            0x40001,
            0x7fffffff,
            0xffffffff,
        };
        const uint32_t lengths[2] = {input.PickValueInArray(kLengths),
                                     input.PickValueInArray(kLengths)};
        const auto* bytes = reinterpret_cast<const uint8_t*>(lengths);
        store(guest.channel + offsetof(struct hatchery_control, response_bytes),
              {bytes, bytes + sizeof lengths});
        return;
    }
    const uint64_t address =
        target == 1 ? input.ConsumeIntegralInRange<uint64_t>(0, memory_bytes)
                    : guest.channel + input.ConsumeIntegralInRange<uint64_t>(
                                          0, target == 2 ? sizeof(struct hatchery_control)
                                                         : HATCHERY_CHANNEL_BYTES);
    store(address, input.ConsumeBytes<uint8_t>(input.ConsumeIntegralInRange<size_t>(0, 64)));
}

/* Runs the guest to its next exit: what KVM_RUN returns, with errno where that is -1. */
int run_guest() {
    FuzzedDataProvider& input = *guest.input;
    if (run->immediate_exit != 0) {
        errno = EINTR;
        return -1;
    }
    for (int stores = input.ConsumeIntegralInRange(0, 6); stores > 0; stores--) {
        store_something();
    }
    switch (input.ConsumeIntegralInRange(0, 9)) {
        case 0: /* any exit at all */
            run->exit_reason = input.ConsumeIntegral<uint32_t>();
            break;
        case 1: /* any that KVM knows, with anything in its description */
            run->exit_reason = input.ConsumeIntegralInRange<uint32_t>(0, 40);
            input.ConsumeData(run->padding, sizeof run->padding);
            break;
        case 2: /* a store or a load anywhere */
            run->exit_reason = KVM_EXIT_MMIO;
            input.ConsumeData(&run->mmio, sizeof run->mmio);
            if (input.ConsumeBool()) {
                run->mmio.phys_addr = guest.doorbell;
            }
            break;
        case 3:
            errno = input.ConsumeBool() ? EINTR : error();
            return -1;
        default: /* the doorbell */
            run->exit_reason = KVM_EXIT_MMIO;
            run->mmio.phys_addr = guest.doorbell;
            run->mmio.len = 1;
            run->mmio.is_write = 1;
            run->mmio.data[0] = input.ConsumeIntegralInRange<uint8_t>(0, 12);
    }
    return 0;
}

int create_vcpu() {
    const int file = memfd_create("fake-vcpu", MFD_CLOEXEC);
    expect(file >= 0 && ftruncate(file, kRunBytes) == 0, "the fake can make a vCPU");
    if (run != nullptr) {
        munmap(run, kRunBytes);
    }
    run = static_cast<struct kvm_run*>(
        mmap(nullptr, kRunBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    expect(run != MAP_FAILED, "the fake can map a vCPU");
    return file;
}

int answer(unsigned long request, void* argument) {
    switch (request) {
        case KVM_GET_API_VERSION:
            return KVM_API_VERSION;
        case KVM_CHECK_EXTENSION:
            return 0x7fffffff;
        case KVM_GET_VCPU_MMAP_SIZE:
            return kRunBytes;
        case KVM_GET_TSC_KHZ:
            return 2000000;
        case KVM_CREATE_VM:
            return eventfd(0, EFD_CLOEXEC);
        case KVM_CREATE_VCPU:
            return create_vcpu();
        case KVM_SET_USER_MEMORY_REGION: {
            const auto& region = *static_cast<struct kvm_userspace_memory_region*>(argument);
            if (region.slot == 0) {
                memory = reinterpret_cast<uint8_t*>(region.userspace_addr);
                memory_bytes = recorded_bytes = region.memory_size;
                written.assign(memory_bytes / HATCHERY_PAGE_BYTES / 64 + 1, 0);
            }
            if (region.slot == 3) {
                expect(
                    region.guest_phys_addr == memory_bytes &&
                        region.userspace_addr == reinterpret_cast<uint64_t>(memory) + memory_bytes,
                    "large pages lie behind the others");
                memory_bytes += region.memory_size;
            }
            return 0;
        }
        case KVM_GET_DIRTY_LOG:
            std::memcpy(static_cast<struct kvm_dirty_log*>(argument)->dirty_bitmap, written.data(),
                        (recorded_bytes / HATCHERY_PAGE_BYTES + 63) / 64 * sizeof(uint64_t));
            return 0;
        case KVM_CLEAR_DIRTY_LOG:
            std::fill(written.begin(), written.end(), 0);
            return 0;
        case KVM_GET_REGS:
            if (guest.input != nullptr) {
                guest.input->ConsumeData(argument, sizeof(struct kvm_regs));
            }
            return 0;
        case KVM_RUN:
            return run_guest();
        case kSetMsrs:
            return static_cast<int>(static_cast<MsrList<1>*>(argument)->count);
        case kGetSupportedCpuid:
            static_cast<MsrList<1>*>(argument)->count = 0;
            return 0;
        default:
            return 0; /* setters, and the special registers, which stay zero */
    }
}

}  // namespace

void play(const FakeGuest& next) {
    guest = next;
}

std::shared_ptr<const KvmDevice> device() {
    static const std::shared_ptr<const KvmDevice> opened = [] {
        auto device = KvmDevice::open();
        expect(device.ok(), "the fake device opens");
        return device.value();
    }();
    return opened;
}

void violated(const char* what) {
    std::fprintf(stderr, "VIOLATED: %s\n", what);
    std::abort();
}

}  // namespace fuzz

/* The hook of native/machine/system_call.h. */
bool fault_is_due(const char*) {
    if (!fuzz::guest.faults || fuzz::guest.input->ConsumeIntegralInRange(0, 31) != 1) {
        return false;
    }
    errno = fuzz::error();
    return true;
}

Result<int> kvm_ioctl(int, unsigned long request, void* argument, const char* name) {
    const int result = attempt_once(name, [&] { return fuzz::answer(request, argument); });
    if (result < 0) {
        return Failure::from_errno(name);
    }
    return result;
}

Result<int> kvm_ioctl(int descriptor, unsigned long request, unsigned long argument,
                      const char* name) {
    return kvm_ioctl(descriptor, request, reinterpret_cast<void*>(argument), name);
}

}  // namespace hatchery

/* Linked with --wrap=open: there need be no /dev/kvm where fuzzers run. */
extern "C" int __real_open(const char* path, int flags, ...);
extern "C" int __wrap_open(const char* path, int flags, ...) {
    if (std::strcmp(path, "/dev/kvm") == 0) {
        return eventfd(0, EFD_CLOEXEC);
    }
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return __real_open(path, flags, mode);
}
