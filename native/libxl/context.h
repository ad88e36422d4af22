/* The libxl context that all Node environments of the process share. */
#ifndef HATCHERY_LIBXL_CONTEXT_H
#define HATCHERY_LIBXL_CONTEXT_H

#include <memory>
#include <vector>

#include "domain_events.h"
#include "event_sources.h"
#include "event_thread.h"
#include "libxl_api.h"
#include "log.h"

namespace hatchery {

class Context {
  public:
    /* What came of acquire(): a context, or why there is none. */
    struct Acquired {
        std::shared_ptr<Context> context;
        int code; /* of libxl_error */
        std::vector<LogLine> log;
    };

    /*
     * The process's context, made if there is none; with the last reference it is freed, on a
     * caller's thread. Blocks: on a caller's thread only.
     */
    static Acquired acquire();

    ~Context();
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    libxl_ctx* ctx() const { return ctx_; }
    const std::shared_ptr<Log>& log() const { return log_; }
    DomainEvents& events() { return *events_; }

  private:
    Context() = default;
    int open(OperationLog& log);

    std::shared_ptr<Log> log_;
    std::unique_ptr<EventSources> sources_;
    EventThread thread_;
    libxl_ctx* ctx_ = nullptr;
    std::unique_ptr<DomainEvents> events_;
};

}  // namespace hatchery

#endif
