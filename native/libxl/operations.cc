#include "operation.h"

namespace hatchery {

const OperationKind* find_operation(const std::string& name) {
    for (const auto kinds : {host_operations(), domain_operations(), transfer_operations(),
                             device_operations(), processor_operations(), cpupool_operations()}) {
        for (const OperationKind& kind : kinds) {
            if (name == kind.name) {
                return &kind;
            }
        }
    }
    return nullptr;
}

}  // namespace hatchery
