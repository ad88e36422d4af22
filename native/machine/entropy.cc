#include "entropy.h"

#include <sys/random.h>

#include <array>
#include <cstring>

#include "system_call.h"

namespace hatchery {

Status fill_entropy(std::span<uint8_t> into) {
    thread_local std::array<uint8_t, 2048> ahead;
    thread_local size_t left = 0;
    if (left < into.size()) {
        /* A request of more than 256 bytes may be cut short by a signal. */
        constexpr size_t kAtomicBytes = 256;
        for (size_t filled = 0; filled < ahead.size(); filled += kAtomicBytes) {
            const ssize_t got = attempt(
                "getrandom", [&] { return getrandom(ahead.data() + filled, kAtomicBytes, 0); });
            if (got != static_cast<ssize_t>(kAtomicBytes)) {
                left = 0;
                return got < 0 ? Failure::from_errno("getrandom") : Failure{"getrandom", EIO};
            }
        }
        left = ahead.size();
    }
    uint8_t* from = ahead.data() + (ahead.size() - left);
    std::memcpy(into.data(), from, into.size());
    explicit_bzero(from, into.size());
    left -= into.size();
    return kSuccess;
}

}  // namespace hatchery
