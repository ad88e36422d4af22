/* Operations on domains as a whole. */
#include "json.h"
#include "operation.h"

namespace hatchery {
namespace {

/* `{"info": …, "name": …}`; empty where libxl cannot write it. */
std::string describe_domain(libxl_ctx* ctx, libxl_dominfo* info) {
    const std::string described = take_string(libxl_dominfo_to_json(ctx, info));
    if (described.empty()) {
        return "";
    }
    char* const name = libxl_domid_to_name(ctx, info->domid);
    const std::string with_name = name == nullptr ? "" : ",\"name\":" + json_string(name);
    free(name);
    return "{\"info\":" + described + with_name + "}";
}

int pause(Operation& operation) {
    return libxl_domain_pause(operation.ctx(), operation.domid(), operation.how());
}

int unpause(Operation& operation) {
    return libxl_domain_unpause(operation.ctx(), operation.domid(), operation.how());
}

int shutdown(Operation& operation) {
    return libxl_domain_shutdown(operation.ctx(), operation.domid(), operation.how());
}

int reboot(Operation& operation) {
    return libxl_domain_reboot(operation.ctx(), operation.domid(), operation.how());
}

int destroy(Operation& operation) {
    return libxl_domain_destroy(operation.ctx(), operation.domid(), operation.how());
}

int rename(Operation& operation) {
    const char* const from = operation.count_of_texts() > 1 ? operation.text(1).c_str() : nullptr;
    return libxl_domain_rename(operation.ctx(), operation.domid(), from, operation.text(0).c_str());
}

int list(Operation& operation) {
    int count = 0;
    libxl_dominfo* const domains = libxl_list_domain(operation.ctx(), &count);
    if (domains == nullptr) {
        return ERROR_FAIL;
    }
    operation.set_result(json_array(domains, count, [&](libxl_dominfo* info) {
        return describe_domain(operation.ctx(), info);
    }));
    libxl_dominfo_list_free(domains, count);
    /* So that what a list shows is watched: its end is told, whenever that comes. */
    return operation.events().watch_all();
}

int info(Operation& operation) {
    DomainInfo found;
    if (const int code = libxl_domain_info(operation.ctx(), found.get(), operation.domid())) {
        return code;
    }
    operation.set_result(describe_domain(operation.ctx(), found.get()));
    return 0;
}

int find(Operation& operation) {
    uint32_t domid = 0;
    const int code = libxl_name_to_domid(operation.ctx(), operation.text(0).c_str(), &domid);
    if (code == ERROR_INVAL) {
        operation.set_result("null"); /* what it gives where there is none */
        return 0;
    }
    operation.set_result(std::to_string(domid));
    return code;
}

int configuration(Operation& operation) {
    const auto config = std::make_shared<DomainConfig>();
    operation.set_result([ctx = operation.ctx(), config] {
        return take_string(libxl_domain_config_to_json(ctx, config->get()));
    });
    return libxl_retrieve_domain_configuration(operation.ctx(), operation.domid(), config->get(),
                                               operation.how());
}

int memory_target(Operation& operation) {
    uint64_t target = 0;
    if (const int code = libxl_get_memory_target(operation.ctx(), operation.domid(), &target)) {
        return code;
    }
    DomainInfo found;
    if (const int code = libxl_domain_info(operation.ctx(), found.get(), operation.domid())) {
        return code;
    }
    operation.set_result("{\"targetKib\":" + std::to_string(target) +
                         ",\"maximumKib\":" + std::to_string(found->max_memkb) + "}");
    return 0;
}

int set_memory_target(Operation& operation) {
    constexpr int kRelative = 0;
    constexpr int kEnforce = 1;
    return libxl_set_memory_target(operation.ctx(), operation.domid(), operation.number(1),
                                   kRelative, kEnforce);
}

int set_maximum_memory(Operation& operation) {
    return libxl_domain_setmaxmem(operation.ctx(), operation.domid(),
                                  static_cast<uint64_t>(operation.number(1)));
}

/* The second number is 0 for the primary console, else of libxl_console_type. */
int console_terminal(Operation& operation) {
    char* path = nullptr;
    const auto type = static_cast<libxl_console_type>(operation.number(1));
    const int code =
        type == LIBXL_CONSOLE_TYPE_UNKNOWN
            ? libxl_primary_console_get_tty(operation.ctx(), operation.domid(), &path)
            : libxl_console_get_tty(operation.ctx(), operation.domid(), 0, type, &path);
    operation.set_result(json_string(take_string(path)));
    return code;
}

}  // namespace

std::span<const OperationKind> domain_operations() {
    static constexpr OperationKind kinds[] = {
        {.name = "pauseDomain", .call = pause, .numbers = 1, .texts = 0, .about_domain = true},
        {.name = "unpauseDomain", .call = unpause, .numbers = 1, .texts = 0, .about_domain = true},
        {.name = "shutdownDomain",
         .call = shutdown,
         .numbers = 1,
         .texts = 0,
         .about_domain = true},
        {.name = "rebootDomain", .call = reboot, .numbers = 1, .texts = 0, .about_domain = true},
        {.name = "destroyDomain", .call = destroy, .numbers = 1, .texts = 0, .about_domain = true},
        {.name = "renameDomain", .call = rename, .numbers = 1, .texts = 1, .about_domain = true},
        {.name = "listDomains", .call = list, .numbers = 0, .texts = 0},
        {.name = "domainInfo", .call = info, .numbers = 1, .texts = 0, .about_domain = true},
        {.name = "findDomain", .call = find, .numbers = 0, .texts = 1},
        {.name = "domainConfig",
         .call = configuration,
         .numbers = 1,
         .texts = 0,
         .about_domain = true},
        {.name = "memoryTarget",
         .call = memory_target,
         .numbers = 1,
         .texts = 0,
         .about_domain = true},
        {.name = "setMemoryTarget",
         .call = set_memory_target,
         .numbers = 2,
         .texts = 0,
         .about_domain = true},
        {.name = "setMaximumMemory",
         .call = set_maximum_memory,
         .numbers = 2,
         .texts = 0,
         .about_domain = true},
        {.name = "consoleTerminal",
         .call = console_terminal,
         .numbers = 2,
         .texts = 0,
         .about_domain = true},
    };
    return kinds;
}

}  // namespace hatchery
