/* Operations that are about no domain in particular. */
#include "operation.h"

namespace hatchery {
namespace {

/* The context has been made by now. */
int open(Operation&) {
    return 0;
}

int version(Operation& operation) {
    const libxl_version_info* const info = libxl_get_version_info(operation.ctx());
    if (info == nullptr) {
        return ERROR_FAIL;
    }
    operation.set_result(take_string(
        libxl_version_info_to_json(operation.ctx(), const_cast<libxl_version_info*>(info))));
    return 0;
}

int physical_info(Operation& operation) {
    LibxlValue<libxl_physinfo, libxl_physinfo_init, libxl_physinfo_dispose> info;
    if (const int code = libxl_get_physinfo(operation.ctx(), info.get())) {
        return code;
    }
    operation.set_result(take_string(libxl_physinfo_to_json(operation.ctx(), info.get())));
    return 0;
}

int free_memory(Operation& operation) {
    uint64_t kibibytes = 0;
    const int code = libxl_get_free_memory(operation.ctx(), &kibibytes);
    operation.set_result(std::to_string(kibibytes));
    return code;
}

int event_position(Operation& operation) {
    const int code = operation.events().start();
    operation.set_result(std::to_string(operation.events().position()));
    return code == 0 ? 0 : operation.refuse(code, "xenstore does not tell of new domains");
}

}  // namespace

std::span<const OperationKind> host_operations() {
    static constexpr OperationKind kinds[] = {
        {.name = "open", .call = open, .numbers = 0, .texts = 0, .gives_share = true},
        {.name = "version", .call = version, .numbers = 0, .texts = 0},
        {.name = "physicalInfo", .call = physical_info, .numbers = 0, .texts = 0},
        {.name = "freeMemory", .call = free_memory, .numbers = 0, .texts = 0},
        {.name = "eventPosition", .call = event_position, .numbers = 0, .texts = 0},
    };
    return kinds;
}

}  // namespace hatchery
