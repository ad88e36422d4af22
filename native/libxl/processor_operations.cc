/* Operations on a domain's vCPUs and on how they are scheduled. */
#include "bitmaps.h"
#include "json.h"
#include "operation.h"

namespace hatchery {
namespace {

int list_vcpus(Operation& operation) {
    int count = 0;
    int processors = 0;
    libxl_vcpuinfo* const vcpus =
        libxl_list_vcpu(operation.ctx(), operation.domid(), &count, &processors);
    if (vcpus == nullptr) {
        return ERROR_FAIL;
    }
    operation.set_result(json_array(vcpus, count, [&](libxl_vcpuinfo* vcpu) {
        return take_string(libxl_vcpuinfo_to_json(operation.ctx(), vcpu));
    }));
    libxl_vcpuinfo_list_free(vcpus, count);
    return 0;
}

/* Number 1: how many, the first ones. */
int set_vcpu_count(Operation& operation) {
    const auto online = std::make_shared<Bitmap>();
    const int count = static_cast<int>(operation.number(1));
    if (const int code = libxl_cpu_bitmap_alloc(operation.ctx(), online->get(), count)) {
        return code;
    }
    for (int vcpu = 0; vcpu < count; vcpu++) {
        libxl_bitmap_set(online->get(), vcpu);
    }
    operation.set_result([online] { return std::string("null"); });
    return libxl_set_vcpuonline(operation.ctx(), operation.domid(), online->get(), operation.how());
}

/* Numbers: the domain, the vCPU or -1 for all, how many hard ones, these, and the soft ones. */
int set_vcpu_affinity(Operation& operation) {
    constexpr size_t kFirst = 3;
    const size_t all = operation.count_of_numbers();
    const size_t hard_end = kFirst + static_cast<size_t>(operation.number(2));
    if (operation.number(2) < 0 || hard_end > all) {
        return ERROR_INVAL;
    }
    Bitmap hard;
    Bitmap soft;
    if (const int code = read_processors(operation, kFirst, hard_end, hard)) {
        return code;
    }
    if (const int code = read_processors(operation, hard_end, all, soft)) {
        return code;
    }
    const libxl_bitmap* const soft_given = hard_end < all ? soft.get() : nullptr;
    const int64_t vcpu = operation.number(1);
    if (vcpu >= 0) {
        return libxl_set_vcpuaffinity(operation.ctx(), operation.domid(),
                                      static_cast<uint32_t>(vcpu), hard.get(), soft_given);
    }
    DomainInfo info;
    if (const int code = libxl_domain_info(operation.ctx(), info.get(), operation.domid())) {
        return code;
    }
    return libxl_set_vcpuaffinity_all(operation.ctx(), operation.domid(), info->vcpu_max_id + 1,
                                      hard.get(), soft_given);
}

int scheduler_parameters(Operation& operation) {
    SchedulerParameters parameters;
    if (const int code =
            libxl_domain_sched_params_get(operation.ctx(), operation.domid(), parameters.get())) {
        return code;
    }
    operation.set_result(
        take_string(libxl_domain_sched_params_to_json(operation.ctx(), parameters.get())));
    return 0;
}

int set_scheduler_parameters(Operation& operation) {
    SchedulerParameters parameters;
    if (libxl_domain_sched_params_from_json(operation.ctx(), parameters.get(),
                                            operation.text(0).c_str()) != 0) {
        return operation.refuse(ERROR_INVAL, "libxl cannot read the parameters");
    }
    return libxl_domain_sched_params_set(operation.ctx(), operation.domid(), parameters.get());
}

}  // namespace

std::span<const OperationKind> processor_operations() {
    static constexpr OperationKind kinds[] = {
        {.name = "listVcpus", .call = list_vcpus, .numbers = 1, .texts = 0, .about_domain = true},
        {.name = "setVcpuCount",
         .call = set_vcpu_count,
         .numbers = 2,
         .texts = 0,
         .about_domain = true},
        {.name = "setVcpuAffinity",
         .call = set_vcpu_affinity,
         .numbers = 3,
         .texts = 0,
         .about_domain = true},
        {.name = "schedulerParameters",
         .call = scheduler_parameters,
         .numbers = 1,
         .texts = 0,
         .about_domain = true},
        {.name = "setSchedulerParameters",
         .call = set_scheduler_parameters,
         .numbers = 1,
         .texts = 1,
         .about_domain = true},
    };
    return kinds;
}

}  // namespace hatchery
