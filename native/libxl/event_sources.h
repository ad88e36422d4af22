/* What libxl waits for: descriptors and times. libxl's "osevent" hooks (libxl_event.h). */
#ifndef HATCHERY_LIBXL_EVENT_SOURCES_H
#define HATCHERY_LIBXL_EVENT_SOURCES_H

#include <sys/time.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "../machine/descriptor.h"
#include "../machine/result.h"
#include "libxl_api.h"

namespace hatchery {

/*
 * libxl calls the hooks from any thread, with its lock held; the event thread tells libxl what has
 * occurred. The event loop waits for one descriptor, an epoll instance, that the hooks change
 * directly, so that libxl may close a descriptor as soon as it has deregistered it: a loop that was
 * only told to forget it later could meet its number again as another file.
 *
 * libxl is never called with the lock of this held, which is inside libxl's own (libxl_event.h,
 * "Lock hierarchy" (a)). An occurrence may thus reach libxl after it has deregistered its source;
 * libxl ignores those, as it finds by its own poll whether there is something to do (fd_occurs in
 * libxl_event.c).
 */
class EventSources {
  public:
    /* `wake` is called, on any thread, when next_time() or has_ready_files() may have changed. */
    static Result<std::unique_ptr<EventSources>> create(std::function<void()> wake);

    static const libxl_osevent_hooks* hooks();

    /* Readable when a descriptor is ready; then dispatch() is to be called. */
    int descriptor() const { return epoll_.get(); }

    /* Has `handler` called on the event thread whenever the descriptor is readable. */
    Status watch(int descriptor, std::function<void()> handler);
    void unwatch(int descriptor);

    /* On the event thread, without libxl's lock: tells libxl what has occurred. */
    void dispatch(libxl_ctx* ctx);
    void dispatch_times(libxl_ctx* ctx);
    /* Regular files, which epoll does not take: they are always ready. True while there are any. */
    bool dispatch_files(libxl_ctx* ctx);

    /* Milliseconds until dispatch_times() is due; nothing where no time is waited for. */
    std::optional<uint64_t> next_time();

  private:
    struct Source {
        int descriptor;
        Descriptor duplicate; /* where libxl waits for one descriptor twice */
        short events;
        bool is_file;
        void* for_libxl;
        std::function<void()> handler;

        int watched() const { return duplicate.valid() ? duplicate.get() : descriptor; }
    };
    struct Time {
        struct timeval at;
        void* for_libxl;
    };

    explicit EventSources(std::function<void()> wake) : wake_(std::move(wake)) {}
    static EventSources& from(void* user) { return *static_cast<EventSources*>(user); }
    int add(Source source, uint64_t* number);
    int begin_waiting(uint64_t number, Source& source);
    void end_waiting(Source& source);

    static int register_descriptor(void* user, int descriptor, void** registration, short events,
                                   void* for_libxl);
    static int modify_descriptor(void* user, int descriptor, void** registration, short events);
    static void deregister_descriptor(void* user, int descriptor, void* registration);
    static int register_time(void* user, void** registration, struct timeval at, void* for_libxl);
    static int hasten_time(void* user, void** registration, struct timeval at);
    static void deregister_time(void* user, void* registration);

    const std::function<void()> wake_;
    Descriptor epoll_;
    std::mutex mutex_;
    /* Numbers are never used again, so that what is late finds nothing. */
    uint64_t next_number_ = 1;
    std::map<uint64_t, Source> sources_;
    std::map<uint64_t, Time> times_;
};

}  // namespace hatchery

#endif
