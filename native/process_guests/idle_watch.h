/* Sees to it that guests compute only while they are run. */
#ifndef HATCHERY_PROCESS_GUESTS_IDLE_WATCH_H
#define HATCHERY_PROCESS_GUESTS_IDLE_WATCH_H

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <vector>

#include "../machine/result.h"

namespace hatchery {

class GuestProcess;

/* Whether a guest may compute now, and what the watch knows of it. */
class Turn {
  public:
    /* It may until `end`. A zygote has a turn for each fork that is wanted of it. */
    void begin() { count_.fetch_add(kChange + 1, std::memory_order_seq_cst); }
    void end() { count_.fetch_add(kChange - 1, std::memory_order_release); }

    /* A turn as long as this lives. */
    class Held {
      public:
        explicit Held(Turn& turn) : turn_(turn) { turn_.begin(); }
        ~Held() { turn_.end(); }
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;

      private:
        Turn& turn_;
    };

  private:
    friend class IdleWatch;
    static constexpr uint64_t kChange = uint64_t{1} << 32;
    static bool is_running(uint64_t count) { return count % kChange != 0; }

    /* How often it has changed, and below that how many turns it has. */
    std::atomic<uint64_t> count_{0};
    /* The watch's own: what it saw when it looked last, and when it looks again. */
    uint64_t seen_ = ~uint64_t{0};
    int64_t cpu_ = 0;
    int64_t due_ = 0;
    int64_t pause_ = 0;
};

/*
 * A guest that rang its doorbell waits for the host in its handler, which is in its own reach: a hostile
 * one may say that it waits, and go on. Nothing but the kernel's count of its processor time tells. So
 * one thread looks at each guest that has no turn, at most 0.1 s after its last one and ever more seldom
 * after that, since one that once waits goes on waiting; it ends those that have computed.
 *
 * One for the process, never destroyed: threads of several Node environments share it.
 */
class IdleWatch {
  public:
    static IdleWatch& instance();

    /* From now on it is watched. Fails where the thread cannot be started. */
    Status add(GuestProcess* guest);
    void remove(GuestProcess* guest);

  private:
    IdleWatch() = default;
    void watch();
    /* Looks at those that are due; after how long it is to look again. */
    std::chrono::nanoseconds scan();
    static void look(GuestProcess& guest, Turn& turn, int64_t now);

    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<GuestProcess*> guests_;
    bool started_ = false;
};

}  // namespace hatchery

#endif
