/* Operations on cpupools. */
#include "bitmaps.h"
#include "json.h"
#include "operation.h"

namespace hatchery {
namespace {

uint32_t pool(const Operation& operation, size_t index) {
    return static_cast<uint32_t>(operation.number(index));
}

int list(Operation& operation) {
    int count = 0;
    libxl_cpupoolinfo* const pools = libxl_list_cpupool(operation.ctx(), &count);
    if (pools == nullptr) {
        return ERROR_FAIL;
    }
    operation.set_result(json_array(pools, count, [&](libxl_cpupoolinfo* info) {
        return take_string(libxl_cpupoolinfo_to_json(operation.ctx(), info));
    }));
    libxl_cpupoolinfo_list_free(pools, count);
    return 0;
}

/* Texts: the name, the scheduler. Numbers: the processors. */
int create(Operation& operation) {
    libxl_scheduler scheduler = LIBXL_SCHEDULER_UNKNOWN;
    if (libxl_scheduler_from_string(operation.text(1).c_str(), &scheduler) != 0) {
        return operation.refuse(ERROR_INVAL, "there is no scheduler " + operation.text(1));
    }
    if (scheduler == LIBXL_SCHEDULER_UNKNOWN) {
        const int running = libxl_get_scheduler(operation.ctx());
        if (running < 0) {
            return running;
        }
        scheduler = static_cast<libxl_scheduler>(running);
    }
    Bitmap processors;
    if (const int code = read_processors(operation, 0, operation.count_of_numbers(), processors)) {
        return code;
    }
    libxl_uuid uuid;
    libxl_uuid_generate(&uuid);
    uint32_t created = LIBXL_CPUPOOL_POOLID_ANY;
    const int code = libxl_cpupool_create(operation.ctx(), operation.text(0).c_str(), scheduler,
                                          *processors.get(), &uuid, &created);
    operation.set_result(std::to_string(created));
    return code;
}

int destroy(Operation& operation) {
    return libxl_cpupool_destroy(operation.ctx(), pool(operation, 0));
}

int rename(Operation& operation) {
    return libxl_cpupool_rename(operation.ctx(), operation.text(0).c_str(), pool(operation, 0));
}

int add_cpu(Operation& operation) {
    return libxl_cpupool_cpuadd(operation.ctx(), pool(operation, 0),
                                static_cast<int>(operation.number(1)));
}

int remove_cpu(Operation& operation) {
    return libxl_cpupool_cpuremove(operation.ctx(), pool(operation, 0),
                                   static_cast<int>(operation.number(1)));
}

int move_domain(Operation& operation) {
    return libxl_cpupool_movedomain(operation.ctx(), pool(operation, 1), operation.domid());
}

}  // namespace

std::span<const OperationKind> cpupool_operations() {
    static constexpr OperationKind kinds[] = {
        {.name = "listCpupools", .call = list, .numbers = 0, .texts = 0},
        {.name = "createCpupool", .call = create, .numbers = 1, .texts = 2},
        {.name = "destroyCpupool", .call = destroy, .numbers = 1, .texts = 0},
        {.name = "renameCpupool", .call = rename, .numbers = 1, .texts = 1},
        {.name = "addCpuToCpupool", .call = add_cpu, .numbers = 2, .texts = 0},
        {.name = "removeCpuFromCpupool", .call = remove_cpu, .numbers = 2, .texts = 0},
        {.name = "moveDomainToCpupool",
         .call = move_domain,
         .numbers = 2,
         .texts = 0,
         .about_domain = true},
    };
    return kinds;
}

}  // namespace hatchery
