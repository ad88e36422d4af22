/* Domains made ahead, so that a request does not wait for their creation. */
#ifndef HATCHERY_XEN_EMPTY_SHELLS_H
#define HATCHERY_XEN_EMPTY_SHELLS_H

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "../machine/thread.h"
#include "domain.h"

namespace hatchery {

/*
 * Keeps empty domains ready for those who reserved them, on a thread of its own. Any thread.
 * The names of waiting shells start with "hatchery-shell-".
 */
class EmptyShells {
  public:
    explicit EmptyShells(Hypervisor& hypervisor) : hypervisor_(hypervisor) {}
    EmptyShells(const EmptyShells&) = delete;
    EmptyShells& operator=(const EmptyShells&) = delete;

    /* That `count` shells of a shape are wanted, as long as it lives. */
    class Reservation {
      public:
        ~Reservation();
        Reservation(const Reservation&) = delete;
        Reservation& operator=(const Reservation&) = delete;

      private:
        friend class EmptyShells;
        Reservation(EmptyShells& shells, const DomainShape& shape, size_t count);
        EmptyShells& shells_;
        DomainShape shape_;
        size_t count_;
    };

    /* Starts to make them; several reservations of one shape add up. */
    Result<std::unique_ptr<Reservation>> reserve(const DomainShape& shape, size_t count);

    /*
     * A shell of this shape if one is ready, else a domain made now: as Domain::create. The shell's
     * name in xenstore follows soon after.
     */
    Result<std::unique_ptr<Domain>> take(const DomainShape& shape, const std::string& name);

    /* How many of this shape are ready now. */
    size_t ready(const DomainShape& shape);

  private:
    /* The shells of one shape. */
    struct Stock {
        DomainShape shape;
        size_t wanted = 0;
        std::deque<std::unique_ptr<Domain>> shells; /* the oldest first */
    };

    using Clock = std::chrono::steady_clock;

    Stock* find(const DomainShape& shape);
    void rest();
    void work();

    Hypervisor& hypervisor_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::list<Stock> stocks_;
    /* Until when nothing is made, and until when that may be put off. */
    Clock::time_point resting_until_;
    Clock::time_point rest_ends_;
    Thread thread_;
};

}  // namespace hatchery

#endif
