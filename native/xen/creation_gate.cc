#include "creation_gate.h"

#include <algorithm>
#include <chrono>

#include "../machine/clock.h"

namespace hatchery {

std::optional<CreationGate::Pass> CreationGate::enter() {
    const std::lock_guard lock(mutex_);
    if (closed_) {
        return std::nullopt;
    }
    inside_++;
    return Pass(this);
}

bool CreationGate::close(int64_t deadline) {
    std::unique_lock lock(mutex_);
    closed_ = true;
    const auto left = std::chrono::nanoseconds(std::max<int64_t>(0, deadline - monotonic_now()));
    return empty_.wait_for(lock, left, [this] { return inside_ == 0; });
}

void CreationGate::leave() {
    const std::lock_guard lock(mutex_);
    inside_--;
    if (inside_ == 0) {
        empty_.notify_all();
    }
}

}  // namespace hatchery
