#include "log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace hatchery {
namespace {

/* Below it, libxl tells each step, for its own developers. */
constexpr xentoollog_level kLeastLevel = XTL_DETAIL;
constexpr size_t kMostLines = 100;
constexpr size_t kMostCharacters = 2000;

/* What a child process sends: one write of less than PIPE_BUF bytes, so that none is torn. */
struct ChildLine {
    int level;
    int error;
    char from[24];
    char text[472];
};

thread_local OperationLog* current_operation = nullptr;

/* The number in libxl's "Domain 7:", which it puts before what it says about a domain. */
std::optional<uint32_t> domain_named_in(const std::string& text) {
    constexpr char kPrefix[] = "Domain ";
    const size_t at = text.find(kPrefix);
    if (at == std::string::npos) {
        return std::nullopt;
    }
    const char* digits = text.c_str() + at + sizeof kPrefix - 1;
    char* end = nullptr;
    const unsigned long number = strtoul(digits, &end, 10);
    if (end == digits || *end != ':' || number > UINT32_MAX) {
        return std::nullopt;
    }
    return static_cast<uint32_t>(number);
}

}  // namespace

OperationLog::OperationLog(std::shared_ptr<Log> log, std::optional<uint32_t> domid)
    : log_(std::move(log)), domid_(domid) {
    const std::lock_guard lock(log_->mutex_);
    log_->operations_.insert(this);
}

OperationLog::~OperationLog() {
    const std::lock_guard lock(log_->mutex_);
    log_->operations_.erase(this);
}

std::vector<LogLine> OperationLog::lines() const {
    const std::lock_guard lock(log_->mutex_);
    return {lines_.begin(), lines_.end()};
}

void OperationLog::add_error(const std::string& text) {
    const std::lock_guard lock(log_->mutex_);
    Log::add(*this, {XTL_ERROR, -1, "hatchery", text});
}

OperationLog::OnThisThread::OnThisThread(OperationLog& operation) {
    current_operation = &operation;
}

OperationLog::OnThisThread::~OnThisThread() {
    current_operation = nullptr;
}

Log::Log() : owner_(getpid()) {
    logger_.vmessage = on_message;
    logger_.log = this;
}

Result<std::shared_ptr<Log>> Log::create() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        return Failure::from_errno("pipe2");
    }
    std::shared_ptr<Log> log(new Log());
    log->child_reader_ = Descriptor(ends[0]);
    log->child_writer_ = Descriptor(ends[1]);
    return log;
}

void Log::on_message(xentoollog_logger* logger, xentoollog_level level, int error, const char* from,
                     const char* format, va_list values) {
    Log* const log = static_cast<Logger*>(logger)->log;
    if (getpid() != log->owner_) {
        /* Between fork and exec: other threads' locks are held for ever here. */
        if (level < kLeastLevel) {
            return;
        }
        ChildLine line = {};
        line.level = level;
        line.error = error;
        snprintf(line.from, sizeof line.from, "%s", from == nullptr ? "" : from);
        vsnprintf(line.text, sizeof line.text, format, values);
        [[maybe_unused]] const ssize_t sent =
            write(log->child_writer_.get(), &line, sizeof line); /* or nobody reads */
        return;
    }
    char text[kMostCharacters];
    vsnprintf(text, sizeof text, format, values);
    log->take({level, error, from == nullptr ? "" : from, text});
}

void Log::read_child_lines() {
    ChildLine line;
    while (read(child_reader_.get(), &line, sizeof line) == sizeof line) {
        line.from[sizeof line.from - 1] = '\0';
        line.text[sizeof line.text - 1] = '\0';
        take({static_cast<xentoollog_level>(line.level), line.error, line.from, line.text});
    }
}

void Log::add(OperationLog& operation, const LogLine& line) {
    operation.lines_.push_back(line);
    if (operation.lines_.size() > kMostLines) {
        operation.lines_.pop_front();
    }
}

void Log::take(LogLine line) {
    const std::optional<uint32_t> domid = domain_named_in(line.text);
    const std::lock_guard lock(mutex_);
    OperationLog* const current = current_operation;
    if (current != nullptr && current->log_.get() == this) {
        if (!current->domid_) {
            current->domid_ = domid; /* a domain that it is creating */
        }
        if (line.level >= kLeastLevel) {
            add(*current, line);
        }
        return;
    }
    if (line.level < kLeastLevel) {
        return;
    }
    const auto give_to = [&](auto belongs) {
        bool given = false;
        for (OperationLog* operation : operations_) {
            if (belongs(*operation)) {
                add(*operation, line);
                given = true;
            }
        }
        return given;
    };
    if (domid &&
        (give_to([&](const OperationLog& operation) { return operation.domid_ == domid; }) ||
         give_to([](const OperationLog& operation) { return !operation.domid_; }))) {
        return;
    }
    give_to([](const OperationLog&) { return true; });
}

}  // namespace hatchery
