/* One request of JavaScript's to libxl, from its start to its end. */
#ifndef HATCHERY_LIBXL_OPERATION_H
#define HATCHERY_LIBXL_OPERATION_H

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "context.h"
#include "environment.h"
#include "libxl_api.h"

namespace hatchery {

struct OperationKind;

/* What JavaScript gave; it has checked it. */
struct OperationArguments {
    std::vector<double> numbers;
    std::vector<std::string> texts;
};

class Operation : public std::enable_shared_from_this<Operation> {
  public:
    Operation(std::shared_ptr<Environment> environment, const OperationKind& kind,
              OperationArguments given);

    /* On a caller's thread, once: calls libxl. The end is delivered to the environment. */
    void run(uint32_t number);
    /* Any thread: asks libxl to cut it short. */
    void abort();

    /* For the functions that call libxl. */

    libxl_ctx* ctx() const { return context_->ctx(); }
    DomainEvents& events() const { return context_->events(); }
    /* The domain is the first number, where an operation is about one. */
    uint32_t domid() const { return static_cast<uint32_t>(number(0)); }
    int64_t number(size_t index) const;
    const std::string& text(size_t index) const;
    size_t count_of_numbers() const { return given_.numbers.size(); }
    size_t count_of_texts() const { return given_.texts.size(); }
    /* The result: JSON; or what makes it once libxl has ended, empty where that fails. */
    void set_result(std::string json);
    void set_result(std::function<std::string()> make_json);
    /* A line for the error, and the code that goes with it. */
    int refuse(int code, const std::string& why);
    /*
     * For the one call that goes on after it has returned; all that it is given must live as long
     * as the result's function.
     */
    const libxl_asyncop_how* how();

  private:
    void complete(int code);
    void deliver(int code, const std::string& result, std::vector<LogLine> log);
    static void on_complete(libxl_ctx* ctx, int code, void* key);

    const std::shared_ptr<Environment> environment_;
    const OperationKind& kind_;
    const OperationArguments given_;
    uint32_t number_ = 0;
    std::shared_ptr<Context> context_;
    std::optional<OperationLog> log_;
    std::function<std::string()> make_result_;
    libxl_asyncop_how how_ = {}; /* with a key, once libxl may go on */

    std::mutex abort_mutex_;
    bool called_ = false;
    bool abort_wanted_ = false;
};

/* A name in JavaScript, and the function that calls libxl for it; it gives a code of libxl's. */
struct OperationKind {
    const char* name;
    int (*call)(Operation& operation);
    /* The least that it must be given. */
    size_t numbers;
    size_t texts;
    /* The first number is a domain's. */
    bool about_domain = false;
    /* Its success gives the environment a share in the context. */
    bool gives_share = false;
};

/* By what they are about. */
std::span<const OperationKind> host_operations();
std::span<const OperationKind> domain_operations();
std::span<const OperationKind> transfer_operations();
std::span<const OperationKind> device_operations();
std::span<const OperationKind> processor_operations();
std::span<const OperationKind> cpupool_operations();

/* Null where there is none of this name. */
const OperationKind* find_operation(const std::string& name);

}  // namespace hatchery

#endif
