/* Event channels between this process and its domains. */
#ifndef HATCHERY_XEN_EVENT_CHANNEL_H
#define HATCHERY_XEN_EVENT_CHANNEL_H

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "../machine/result.h"
#include "xen_library.h"

namespace hatchery {

struct EventHandleCloser {
    void operator()(xenevtchn_handle* handle) const { xenevtchn_close(handle); }
};
using EventHandle = std::unique_ptr<xenevtchn_handle, EventHandleCloser>;

/*
 * Handles of /dev/xen/evtchn, each with a descriptor to wait on, reused by one channel after the
 * other. Any thread.
 */
class EventHandles {
  public:
    /* Opens handles until `count` are idle: for a process that is about to give up its rights. */
    Status reserve(size_t count);
    /* An idle handle, without events; opened now where there is none. */
    Result<EventHandle> take();
    /* Takes back a handle that nothing is bound to any more. */
    void give_back(EventHandle handle);

  private:
    std::mutex mutex_;
    std::vector<EventHandle> idle_;
};

/* This process's end of a channel. Any thread, one at a time. */
class EventChannel {
  public:
    EventChannel() = default;
    EventChannel(EventChannel&& other) noexcept;
    EventChannel& operator=(EventChannel&& other) noexcept;
    ~EventChannel();

    /* Binds port `remote` of `domain`, which must be unbound and meant for Dom0. */
    static Result<EventChannel> bind(EventHandles& handles, uint32_t domain, uint32_t remote);

    Status notify();
    /* See Domain::wait. */
    Result<bool> wait(int64_t deadline);

  private:
    EventHandles* handles_ = nullptr;
    EventHandle handle_;
    xenevtchn_port_or_error_t port_ = -1;
};

}  // namespace hatchery

#endif
