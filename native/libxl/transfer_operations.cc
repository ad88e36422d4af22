/* Operations that make domains of configurations and files, and files of domains. */
#include <fcntl.h>

#include <cstring>

#include "../machine/descriptor.h"
#include "operation.h"

namespace hatchery {
namespace {

/* What libxl is given for as long as it builds a domain. */
struct NewDomain {
    DomainConfig config;
    uint32_t domid = 0;
    libxl_domain_restore_params restoring;
    Descriptor stream;

    NewDomain() { libxl_domain_restore_params_init(&restoring); }
    ~NewDomain() { libxl_domain_restore_params_dispose(&restoring); }
    NewDomain(const NewDomain&) = delete;
    NewDomain& operator=(const NewDomain&) = delete;
};

/*
 * A duplicate of JavaScript's descriptor: that one is closed when its worker thread is ended, and
 * libxl would go on with whatever gets its number next.
 */
int duplicate(Operation& operation, size_t index, Descriptor& stream) {
    stream = Descriptor(fcntl(static_cast<int>(operation.number(index)), F_DUPFD_CLOEXEC, 0));
    return stream.valid() ? 0 : operation.refuse(ERROR_FAIL, std::strerror(errno));
}

/* Reads the configuration; the domain's number becomes the result. A code of libxl's. */
int prepare(Operation& operation, const std::shared_ptr<NewDomain>& domain) {
    if (libxl_domain_config_from_json(operation.ctx(), domain->config.get(),
                                      operation.text(0).c_str()) != 0) {
        return operation.refuse(ERROR_INVAL, "libxl cannot read the configuration");
    }
    libxl_uuid& uuid = domain->config->c_info.uuid;
    if (libxl_uuid_is_nil(&uuid)) {
        libxl_uuid_generate(&uuid);
    }
    operation.set_result([domain] { return std::to_string(domain->domid); });
    return 0;
}

int create(Operation& operation) {
    const auto domain = std::make_shared<NewDomain>();
    if (const int code = prepare(operation, domain)) {
        return code;
    }
    return libxl_domain_create_new(operation.ctx(), domain->config.get(), &domain->domid,
                                   operation.how(), nullptr);
}

/* Number 0: a descriptor at the stream's begin. Text 1: a name in place of the configuration's. */
int restore(Operation& operation) {
    constexpr int kNobodyToAnswer = -1;
    const auto domain = std::make_shared<NewDomain>();
    if (const int code = prepare(operation, domain)) {
        return code;
    }
    if (operation.count_of_texts() > 1) {
        char*& name = domain->config->c_info.name;
        free(name);
        name = strdup(operation.text(1).c_str());
        if (name == nullptr) {
            return ERROR_NOMEM;
        }
    }
    if (const int code = duplicate(operation, 0, domain->stream)) {
        return code;
    }
    domain->restoring.stream_version = 2;
    return libxl_domain_create_restore(operation.ctx(), domain->config.get(), &domain->domid,
                                       domain->stream.get(), kNobodyToAnswer, &domain->restoring,
                                       operation.how(), nullptr);
}

/* Number 1: the descriptor that gets the stream. */
int suspend(Operation& operation) {
    const auto stream = std::make_shared<Descriptor>();
    if (const int code = duplicate(operation, 1, *stream)) {
        return code;
    }
    operation.set_result([stream] { return std::string("null"); });
    return libxl_domain_suspend(operation.ctx(), operation.domid(), stream->get(), 0,
                                operation.how());
}

int resume(Operation& operation) {
    /* As if the guest's suspending had been cancelled: it need not connect its devices again. */
    constexpr int kCancel = 1;
    operation.set_result([&events = operation.events(), domid = operation.domid()] {
        events.resumed(domid);
        return std::string("null");
    });
    return libxl_domain_resume(operation.ctx(), operation.domid(), kCancel, operation.how());
}

}  // namespace

std::span<const OperationKind> transfer_operations() {
    static constexpr OperationKind kinds[] = {
        {.name = "createDomain", .call = create, .numbers = 0, .texts = 1},
        {.name = "restoreDomain", .call = restore, .numbers = 1, .texts = 1},
        {.name = "suspendDomain", .call = suspend, .numbers = 2, .texts = 0, .about_domain = true},
        {.name = "resumeDomain", .call = resume, .numbers = 1, .texts = 0, .about_domain = true},
    };
    return kinds;
}

}  // namespace hatchery
