#include "empty_shells.h"

#include <algorithm>
#include <chrono>

#include "quiet_thread.h"
#include "undertaker.h"

namespace hatchery {
namespace {

const std::string kShellName = "hatchery-shell";
/* Before it tries again where a shell could not be made: without memory, likely. */
constexpr std::chrono::milliseconds kAfterFailure(250);
/*
 * For so long after one was taken nothing is made: on a Dom0 with one processor that would be in
 * the way of the request that took it. Not for longer than kLongestRest, however many are taken.
 */
constexpr std::chrono::milliseconds kRest(2);
constexpr std::chrono::milliseconds kLongestRest(10);

}  // namespace

EmptyShells::Reservation::Reservation(EmptyShells& shells, const DomainShape& shape, size_t count)
    : shells_(shells), shape_(shape), count_(count) {}

EmptyShells::Reservation::~Reservation() {
    std::vector<std::unique_ptr<Domain>> unwanted;
    const std::lock_guard lock(shells_.mutex_);
    Stock* const stock = shells_.find(shape_);
    stock->wanted -= count_;
    while (stock->shells.size() > stock->wanted) {
        unwanted.push_back(std::move(stock->shells.back()));
        stock->shells.pop_back();
    }
    if (stock->wanted == 0) {
        shells_.stocks_.remove_if([&](const Stock& each) { return &each == stock; });
    }
}

EmptyShells::Stock* EmptyShells::find(const DomainShape& shape) {
    const auto found = std::find_if(stocks_.begin(), stocks_.end(),
                                    [&](const Stock& stock) { return stock.shape == shape; });
    return found == stocks_.end() ? nullptr : &*found;
}

Result<std::unique_ptr<EmptyShells::Reservation>> EmptyShells::reserve(const DomainShape& shape,
                                                                       size_t count) {
    {
        const std::lock_guard lock(mutex_);
        if (!thread_.joinable()) {
            auto thread = start_quiet_thread([this] { work(); });
            if (!thread.ok()) {
                return thread.failure();
            }
            thread_ = std::move(thread.value());
        }
        Stock* stock = find(shape);
        if (stock == nullptr) {
            stock = &stocks_.emplace_back();
            stock->shape = shape;
        }
        stock->wanted += count;
    }
    wake_.notify_one();
    return std::unique_ptr<Reservation>(new Reservation(*this, shape, count));
}

Result<std::unique_ptr<Domain>> EmptyShells::take(const DomainShape& shape,
                                                  const std::string& name) {
    for (;;) {
        std::unique_ptr<Domain> shell;
        {
            const std::lock_guard lock(mutex_);
            Stock* const stock = find(shape);
            if (stock != nullptr && !stock->shells.empty()) {
                shell = std::move(stock->shells.front());
                stock->shells.pop_front();
                rest();
            }
        }
        if (shell == nullptr) {
            return Domain::create(hypervisor_, shape, name);
        }
        wake_.notify_one();
        /* Somebody may have destroyed it while it waited. */
        if (shell->state().ok()) {
            shell->rename(name);
            return shell;
        }
    }
}

/* With mutex_ held. */
void EmptyShells::rest() {
    const auto now = Clock::now();
    if (resting_until_ <= now) {
        rest_ends_ = now + kLongestRest;
    }
    resting_until_ = std::min(now + kRest, rest_ends_);
}

size_t EmptyShells::ready(const DomainShape& shape) {
    const std::lock_guard lock(mutex_);
    const Stock* const stock = find(shape);
    return stock == nullptr ? 0 : stock->shells.size();
}

void EmptyShells::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto lacking = std::find_if(stocks_.begin(), stocks_.end(), [](const Stock& stock) {
            return stock.shells.size() < stock.wanted;
        });
        if (lacking == stocks_.end()) {
            wake_.wait(lock);
            continue;
        }
        if (Clock::now() < resting_until_) {
            wake_.wait_until(lock, resting_until_);
            continue;
        }
        const DomainShape shape = lacking->shape;
        lock.unlock();
        auto made = Domain::create(hypervisor_, shape, kShellName);
        lock.lock();
        if (!made.ok()) {
            /* Whoever needs one meanwhile makes it, and is told why it fails. */
            wake_.wait_for(lock, kAfterFailure);
            continue;
        }
        Stock* const stock = find(shape);
        if (stock != nullptr && stock->shells.size() < stock->wanted) {
            stock->shells.push_back(std::move(made.value()));
        }
    }
}

}  // namespace hatchery
