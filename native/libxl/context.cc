#include "context.h"

#include <signal.h>
#include <unistd.h>

#include <cstring>
#include <mutex>

#include "callers.h"

namespace hatchery {
namespace {

/*
 * In place of fork(2): the child has neither the handlers of this process, which would speak to
 * Node's event loop through pipes that it inherits, nor the signal mask of the thread that it was
 * made on. The programs that libxl starts in it inherit the mask.
 */
pid_t fork_child(void*) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t child = fork();
    if (child == 0) {
        struct sigaction as_default = {};
        as_default.sa_handler = SIG_DFL;
        for (int signal = 1; signal < NSIG; signal++) {
            struct sigaction now;
            if (sigaction(signal, nullptr, &now) == 0 && now.sa_handler != SIG_IGN) {
                sigaction(signal, &as_default, nullptr);
            }
        }
        sigset_t none;
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, nullptr);
        return child;
    }
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return child;
}

/* The event thread looks after libxl's children, and only those; all others are Node's. */
constexpr libxl_childproc_hooks kChildren = {
    .chldowner = libxl_sigchld_owner_mainloop,
    .fork_replacement = fork_child,
    .reaped_callback = nullptr,
};

void on_event(void* user, libxl_event* event) {
    static_cast<Context*>(user)->events().occurred(event);
}

/* libxl has logged it; without this, it would end the process. Operations from now on may fail. */
void on_disaster(void*, libxl_event_type, const char*, int) {}

constexpr libxl_event_hooks kEvents = {
    .event_occurs_mask = LIBXL_EVENTMASK_ALL,
    .event_occurs = on_event,
    .disaster = on_disaster,
};

int refuse(OperationLog& log, const Failure& failure) {
    log.add_error(std::string(failure.call) + ": " + strerror(failure.error));
    return ERROR_FAIL;
}

}  // namespace

int Context::open(OperationLog& log) {
    auto sources = EventSources::create([this] { thread_.wake(); });
    if (!sources.ok()) {
        return refuse(log, sources.failure());
    }
    sources_ = std::move(sources.value());
    if (const int code = libxl_ctx_alloc(&ctx_, LIBXL_VERSION, 0, log_->logger())) {
        return code;
    }
    libxl_osevent_register_hooks(ctx_, EventSources::hooks(), sources_.get());
    libxl_childproc_setmode(ctx_, &kChildren, nullptr);
    libxl_event_register_callbacks(ctx_, &kEvents, this);
    events_ = std::make_unique<DomainEvents>(ctx_, *sources_);
    Log* const lines = log_.get();
    if (Status failed =
            sources_->watch(log_->child_descriptor(), [lines] { lines->read_child_lines(); })) {
        return refuse(log, *failed);
    }
    if (Status failed = thread_.start(ctx_, *sources_)) {
        return refuse(log, *failed);
    }
    return 0;
}

Context::~Context() {
    thread_.stop();
    if (events_) {
        events_->stop();
    }
    libxl_ctx_free(ctx_);
}

Context::Acquired Context::acquire() {
    static std::mutex* const mutex = new std::mutex();
    static std::weak_ptr<Context>* const current = new std::weak_ptr<Context>();
    const std::lock_guard lock(*mutex);
    if (auto context = current->lock()) {
        return {context, 0, {}};
    }
    auto made = Log::create();
    if (!made.ok()) {
        return {nullptr,
                ERROR_FAIL,
                {{XTL_ERROR, made.failure().error, "hatchery", made.failure().call}}};
    }
    const auto free_elsewhere = [](Context* context) {
        /* It may be the event thread that drops the last reference, and it is joined. */
        if (Callers::shared().post([context] { delete context; })) {
            /* No thread to do it on: the context stays until the process ends. */
        }
    };
    std::shared_ptr<Context> context(new Context(), free_elsewhere);
    context->log_ = made.value();
    OperationLog log(context->log_, std::nullopt);
    const OperationLog::OnThisThread here(log);
    if (const int code = context->open(log)) {
        return {nullptr, code, log.lines()};
    }
    *current = context;
    return {context, 0, {}};
}

}  // namespace hatchery
