#include "operation.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <unordered_map>

#include "callers.h"

namespace hatchery {
namespace {

/*
 * Operations that libxl goes on with, by the key that it has in their place. Keys are never used
 * again, so that an abort that comes late meets no other operation (libxl.h, libxl_ao_abort).
 */
std::mutex& going_on_mutex() {
    static std::mutex* const mutex = new std::mutex();
    return *mutex;
}

std::unordered_map<uintptr_t, std::shared_ptr<Operation>>& going_on() {
    static auto* const operations = new std::unordered_map<uintptr_t, std::shared_ptr<Operation>>();
    return *operations;
}

std::shared_ptr<Operation> take_going_on(uintptr_t key) {
    const std::lock_guard lock(going_on_mutex());
    auto found = going_on().extract(key);
    return found.empty() ? nullptr : std::move(found.mapped());
}

Napi::Value describe(Napi::Env env, const LogLine& line) {
    static constexpr const char* kLevels[] = {"debug", "debug",  "verbose", "detail", "progress",
                                              "info",  "notice", "warning", "error",  "critical"};
    Napi::Object described = Napi::Object::New(env);
    const size_t level = line.level < 0 ? 0 : static_cast<size_t>(line.level);
    described.Set("level", kLevels[std::min(level, std::size(kLevels) - 1)]);
    described.Set("from", line.from);
    described.Set("text", line.text);
    if (line.error > 0) {
        described.Set("errno", line.error);
    }
    return described;
}

}  // namespace

Operation::Operation(std::shared_ptr<Environment> environment, const OperationKind& kind,
                     OperationArguments given)
    : environment_(std::move(environment)),
      kind_(kind),
      given_(std::move(given)),
      context_(environment_->context()) {}

int64_t Operation::number(size_t index) const {
    return static_cast<int64_t>(given_.numbers[index]);
}

const std::string& Operation::text(size_t index) const {
    return given_.texts[index];
}

void Operation::set_result(std::string json) {
    make_result_ = [json = std::move(json)] { return json; };
}

void Operation::set_result(std::function<std::string()> make_json) {
    make_result_ = std::move(make_json);
}

int Operation::refuse(int code, const std::string& why) {
    log_->add_error(why);
    return code;
}

const libxl_asyncop_how* Operation::how() {
    static std::atomic<uintptr_t> next_key{1};
    const uintptr_t key = next_key++;
    {
        const std::lock_guard lock(going_on_mutex());
        going_on().emplace(key, shared_from_this());
    }
    how_.callback = on_complete;
    how_.u.for_callback = reinterpret_cast<void*>(key);
    return &how_;
}

/* On whichever thread libxl is called, without its lock; maybe before the call has returned. */
void Operation::on_complete(libxl_ctx*, int code, void* key) {
    if (const auto operation = take_going_on(reinterpret_cast<uintptr_t>(key))) {
        operation->complete(code);
    }
}

void Operation::run(uint32_t number) {
    number_ = number;
    if (!context_) {
        auto acquired = Context::acquire();
        if (!acquired.context) {
            deliver(acquired.code, "", std::move(acquired.log));
            return;
        }
        context_ = acquired.context;
    }
    log_.emplace(context_->log(),
                 kind_.about_domain ? std::optional<uint32_t>(domid()) : std::nullopt);
    const OperationLog::OnThisThread here(*log_);
    {
        const std::lock_guard lock(abort_mutex_);
        if (abort_wanted_) {
            complete(ERROR_ABORTED);
            return;
        }
    }
    const int code = kind_.call(*this);
    if (how_.callback == nullptr) {
        complete(code);
        return;
    }
    /* libxl calls back for no operation that it has not begun. */
    if (code != 0 && take_going_on(reinterpret_cast<uintptr_t>(how_.u.for_callback))) {
        complete(code);
        return;
    }
    const std::lock_guard lock(abort_mutex_);
    called_ = true;
    if (abort_wanted_) {
        libxl_ao_abort(ctx(), &how_);
    }
}

void Operation::abort() {
    const auto operation = shared_from_this();
    if (Callers::shared().post([operation] {
            const std::lock_guard lock(operation->abort_mutex_);
            operation->abort_wanted_ = true;
            if (operation->called_) {
                libxl_ao_abort(operation->ctx(), &operation->how_);
            }
        })) {
        /* Without a thread it goes on to its end. */
    }
}

void Operation::complete(int code) {
    std::string result;
    if (code == 0 && make_result_) {
        result = make_result_();
        if (result.empty()) {
            code = refuse(ERROR_FAIL, "libxl cannot describe the result");
        }
    } else if (code == 0) {
        result = "null";
    }
    deliver(code, result, log_->lines());
}

void Operation::deliver(int code, const std::string& result, std::vector<LogLine> log) {
    const auto operation = shared_from_this();
    environment_->deliver([operation, code, result, log = std::move(log)](Napi::Env env) {
        const auto environment = Environment::of(env);
        const Napi::FunctionReference callback = environment->end(operation->number_);
        if (code == 0) {
            if (operation->kind_.gives_share) {
                environment->add_share(operation->context_);
            }
            callback.Call({env.Null(), Napi::String::New(env, result)});
            return;
        }
        Napi::Object failure = Napi::Object::New(env);
        failure.Set("operation", operation->kind_.name);
        failure.Set("code", code);
        Napi::Array lines = Napi::Array::New(env, log.size());
        for (uint32_t i = 0; i < log.size(); i++) {
            lines.Set(i, describe(env, log[i]));
        }
        failure.Set("log", lines);
        callback.Call({failure, Napi::String::New(env, "")});
    });
}

}  // namespace hatchery
