/* What an exception of the processor means, in words. */
#ifndef HATCHERY_FAULT_REASON_H
#define HATCHERY_FAULT_REASON_H

#include <cstdint>
#include <string>

namespace hatchery {

/* As the processor told of it; the guest may have made it all up. */
struct Fault {
    uint64_t vector;
    uint64_t error_code;
    uint64_t address; /* of the access: a page fault's */
};

/* `where`: put behind the exception's name. */
std::string fault_reason(const Fault& fault, const std::string& where = {});

}  // namespace hatchery

#endif
