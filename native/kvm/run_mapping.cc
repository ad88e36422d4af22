#include "run_mapping.h"

#include <algorithm>
#include <mutex>
#include <vector>

namespace hatchery {

struct RunMapping::Registry {
    std::mutex mutex;
    std::vector<RunMapping*> mapped;
    std::atomic<uint64_t> machines_created{0};

    void add(RunMapping* one) {
        one->place_ = mapped.size();
        mapped.push_back(one);
    }

    void remove(const RunMapping* one) {
        mapped[one->place_] = mapped.back();
        mapped[one->place_]->place_ = one->place_;
        mapped.pop_back();
    }
};

/* Never destroyed: threads may outlive everything. */
RunMapping::Registry& RunMapping::registry() {
    static Registry* const registry = new Registry();
    return *registry;
}

RunMapping::~RunMapping() {
    const std::lock_guard lock(registry().mutex);
    if (state_.load(std::memory_order_relaxed) != State::kUnmapped) {
        registry().remove(this);
    }
}

Result<RunMapping::Use> RunMapping::use(int vcpu, size_t bytes) {
    State idle = State::kIdle;
    if (!state_.compare_exchange_strong(idle, State::kUsed, std::memory_order_acquire)) {
        auto mapping = Mapping::map(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu);
        if (!mapping.ok()) {
            return mapping.failure();
        }
        const std::lock_guard lock(registry().mutex);
        mapping_ = std::move(mapping.value());
        registry().add(this);
        state_.store(State::kUsed, std::memory_order_relaxed);
    }
    return Use(this);
}

RunMapping::Use::~Use() {
    if (owner_ != nullptr) {
        const auto& created = registry().machines_created;
        owner_->last_use_.store(created.load(std::memory_order_relaxed), std::memory_order_relaxed);
        owner_->state_.store(State::kIdle, std::memory_order_release);
    }
}

void RunMapping::unmap_idle() {
    std::vector<Mapping> unmapped;
    {
        Registry& all = registry();
        const std::lock_guard lock(all.mutex);
        all.machines_created.fetch_add(1, std::memory_order_relaxed);
        if (all.mapped.size() <= kMost) {
            return;
        }
        /* A copy of when each was used: that changes meanwhile. */
        std::vector<std::pair<uint64_t, RunMapping*>> by_age;
        for (RunMapping* one : all.mapped) {
            by_age.emplace_back(one->last_use_.load(std::memory_order_relaxed), one);
        }
        const auto kept = by_age.end() - static_cast<ptrdiff_t>(kKept);
        std::nth_element(by_age.begin(), kept, by_age.end());
        std::for_each(by_age.begin(), kept, [&](const auto& aged) {
            RunMapping* one = aged.second;
            State idle = State::kIdle;
            if (one->state_.compare_exchange_strong(idle, State::kUnmapped,
                                                    std::memory_order_acquire)) {
                all.remove(one);
                unmapped.push_back(std::move(one->mapping_));
            }
        });
    }
    std::sort(unmapped.begin(), unmapped.end(),
              [](const Mapping& a, const Mapping& b) { return a.bytes() < b.bytes(); });
    Mapping joined;
    for (Mapping& mapping : unmapped) {
        if (!joined.join(mapping)) {
            joined = std::move(mapping);
        }
    }
}

}  // namespace hatchery
