/* What libxl logs, and to which operation each line belongs. */
#ifndef HATCHERY_LIBXL_LOG_H
#define HATCHERY_LIBXL_LOG_H

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../machine/descriptor.h"
#include "../machine/result.h"
#include "libxl_api.h"

namespace hatchery {

struct LogLine {
    xentoollog_level level;
    int error; /* errno, or -1 */
    std::string from;
    std::string text;
};

class Log;

/* The lines of one operation; lines are added while it exists. */
class OperationLog {
  public:
    /* `domid`: the domain that it is about; nothing where there is none, or none yet. */
    OperationLog(std::shared_ptr<Log> log, std::optional<uint32_t> domid);
    ~OperationLog();
    OperationLog(const OperationLog&) = delete;
    OperationLog& operator=(const OperationLog&) = delete;

    std::vector<LogLine> lines() const;
    /* A line of our own. */
    void add_error(const std::string& text);

    /* While it exists, what this thread logs belongs to the operation. */
    class OnThisThread {
      public:
        explicit OnThisThread(OperationLog& operation);
        ~OnThisThread();
        OnThisThread(const OnThisThread&) = delete;
        OnThisThread& operator=(const OnThisThread&) = delete;
    };

  private:
    friend class Log;

    const std::shared_ptr<Log> log_;
    /* Both are the log's to guard. */
    std::optional<uint32_t> domid_;
    std::deque<LogLine> lines_;
};

/*
 * The xentoollog logger of a context. A line belongs to the operation whose call to libxl is under
 * way on the thread that logs it. What libxl does later, on the event thread or in a child process,
 * it does without saying for whom; there, a line that names a domain ("Domain 7:") belongs to the
 * operations on that domain, else to those that have no domain yet, and one that fits none so far
 * belongs to all that are under way: a line may be given to an operation too many, but none is
 * lost.
 */
class Log : public std::enable_shared_from_this<Log> {
  public:
    static Result<std::shared_ptr<Log>> create();

    xentoollog_logger* logger() { return &logger_; }

    /* Readable when a child process has logged something; then read_child_lines() is to be called.
     */
    int child_descriptor() const { return child_reader_.get(); }
    void read_child_lines();

  private:
    friend class OperationLog;

    /* What libxl is given; it leads back to the log. */
    struct Logger : xentoollog_logger {
        Log* log;
    };

    Log();
    static void on_message(xentoollog_logger* logger, xentoollog_level level, int error,
                           const char* from, const char* format, va_list values);
    void take(LogLine line);
    static void add(OperationLog& operation, const LogLine& line);

    Logger logger_ = {};
    const pid_t owner_;
    Descriptor child_reader_;
    Descriptor child_writer_;
    std::mutex mutex_;
    std::set<OperationLog*> operations_;
};

}  // namespace hatchery

#endif
