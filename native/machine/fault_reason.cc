#include "fault_reason.h"

#include <iterator>

#include "../../images/abi/hatchery.h"
#include "machine.h"

namespace hatchery {
namespace {

/* Vectors of exceptions. (Intel SDM volume 3A, table 6-1; AMD APM volume 2, table 8-1.) */
constexpr uint64_t kPageFault = 14;
constexpr const char* kExceptions[] = {
    "division error",
    "debug exception",
    "non-maskable interrupt",
    "breakpoint",
    "overflow",
    "bound range exceeded",
    "invalid instruction",
    "no floating-point unit",
    "double fault",
    "exception 9",
    "invalid task segment",
    "segment not present",
    "stack fault",
    "general protection fault",
    "page fault",
    "exception 15",
    "x87 floating-point error",
    "alignment check",
    "machine check",
    "SIMD floating-point error",
};

/* Bits of a page fault's error code. */
constexpr uint64_t kProtection = 1 << 0; /* the page is there */
constexpr uint64_t kStore = 1 << 1;
constexpr uint64_t kFetch = 1 << 4;

std::string describe_page_fault(uint64_t error_code, uint64_t address) {
    const bool is_mapped = (error_code & kProtection) != 0;
    if ((error_code & kFetch) != 0) {
        return "jump to " + hexadecimal(address) +
               (is_mapped ? ", which is not executable" : ", where nothing is mapped");
    }
    const bool stores = (error_code & kStore) != 0;
    const std::string access = (stores ? "store to " : "load from ") + hexadecimal(address);
    if (address / HATCHERY_PAGE_BYTES == HATCHERY_DOORBELL_ADDRESS / HATCHERY_PAGE_BYTES) {
        return access + ", which is no hypercall";
    }
    return access +
           (is_mapped ? ", which the guest may not touch so" : ", where nothing is mapped");
}

}  // namespace

std::string fault_reason(const Fault& fault, const std::string& where) {
    if (fault.vector == kPageFault) {
        return "page fault" + where + ": " + describe_page_fault(fault.error_code, fault.address);
    }
    const std::string name = fault.vector < std::size(kExceptions)
                                 ? kExceptions[fault.vector]
                                 : "exception " + std::to_string(fault.vector);
    return name + where +
           (fault.error_code == 0 ? "" : " (error code " + hexadecimal(fault.error_code) + ")");
}

}  // namespace hatchery
