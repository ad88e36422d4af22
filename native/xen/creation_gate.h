/* Through it goes whoever creates a domain, until the process ends. */
#ifndef HATCHERY_XEN_CREATION_GATE_H
#define HATCHERY_XEN_CREATION_GATE_H

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace hatchery {

/* Any thread. */
class CreationGate {
  public:
    CreationGate() = default;
    CreationGate(const CreationGate&) = delete;
    CreationGate& operator=(const CreationGate&) = delete;

    /* Held by who is inside. */
    class Pass {
      public:
        Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
        Pass(const Pass&) = delete;
        Pass& operator=(const Pass&) = delete;
        Pass& operator=(Pass&&) = delete;
        ~Pass() {
            if (gate_ != nullptr) {
                gate_->leave();
            }
        }

      private:
        friend class CreationGate;
        explicit Pass(CreationGate* gate) : gate_(gate) {}
        CreationGate* gate_;
    };

    /* Nothing once the gate is closed. */
    std::optional<Pass> enter();

    /*
     * Lets nobody in any more, and waits for those inside to leave, or until CLOCK_MONOTONIC passes
     * `deadline`. Returns whether all have left.
     */
    bool close(int64_t deadline);

  private:
    void leave();

    std::mutex mutex_;
    std::condition_variable empty_;
    size_t inside_ = 0;
    bool closed_ = false;
};

}  // namespace hatchery

#endif
