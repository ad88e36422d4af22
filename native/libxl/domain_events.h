/* What happens to domains: shutdowns and deaths, numbered, and kept for a while. */
#ifndef HATCHERY_LIBXL_DOMAIN_EVENTS_H
#define HATCHERY_LIBXL_DOMAIN_EVENTS_H

extern "C" {
#include <xenstore.h>
}

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "event_sources.h"
#include "libxl_api.h"

namespace hatchery {

/*
 * libxl tells of domains that it is asked to watch. These are all: those that there are when
 * watching starts, those that xenstored tells of later (@introduceDomain), and those that a list
 * shows.
 */
class DomainEvents {
  public:
    /* Gets events as JSON, in order, on any thread; does not call back. */
    using Deliver = std::function<void(const std::string& event)>;

    /* Both must outlive it. */
    DomainEvents(libxl_ctx* ctx, EventSources& sources);
    ~DomainEvents();

    /* Starts watching, if that has not happened yet. On a caller's thread. A code of libxl's. */
    int start();
    /* Ends watching, for good; the event thread must have ended. */
    void stop();
    /* Watches domains that are new, if watching has started. Not on a JavaScript thread. */
    int watch_all();
    /* Watches it anew: libxl tells of one shutdown only, and a domain that was resumed may have
     * more. */
    void resumed(uint32_t domid);

    /* The number of the newest event. */
    uint64_t position();
    /*
     * Delivers the events after that number, and from then on every new one; where some of them are
     * not kept any more, one event of the type "lost" in their place.
     */
    uint64_t subscribe(uint64_t after, Deliver deliver);
    void unsubscribe(uint64_t subscription);

    /* From libxl, without its lock; the event is taken over. */
    void occurred(libxl_event* event);

  private:
    struct Watched {
        uint64_t number; /* so that a successor with the same domid is not taken for it */
        std::string uuid;
        libxl_evgen_domain_death* generator;
        bool told_shutdown;
    };
    struct Kept {
        uint64_t number;
        std::string text;
    };

    void watch(const libxl_dominfo& info);
    void on_introduced();
    /* With the lock held. */
    void record(const char* type, uint32_t domid, const std::string& uuid,
                std::optional<int> shutdown_reason);

    libxl_ctx* const ctx_;
    EventSources& sources_;
    std::mutex starting_;
    struct xs_handle* store_ = nullptr;

    std::mutex mutex_;
    std::map<uint32_t, Watched> watched_;
    /*
     * Told of as dead, but still listed. By number and UUID: a domain that is restored, or made again,
     * has the UUID of the one before it, which may be dying yet.
     */
    std::set<std::pair<uint32_t, std::string>> dying_;
    std::deque<Kept> kept_;
    uint64_t lost_number_ = 0; /* this one and all before it are not kept */
    uint64_t last_number_ = 0;
    uint64_t next_identity_ = 1;
    std::map<uint64_t, Deliver> subscribers_;
};

}  // namespace hatchery

#endif
