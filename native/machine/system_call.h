/* The one place from which system calls that may fail are made; and where tests make them fail. */
#ifndef HATCHERY_MACHINE_SYSTEM_CALL_H
#define HATCHERY_MACHINE_SYSTEM_CALL_H

#include <cerrno>
#include <cstdint>
#include <type_traits>

namespace hatchery {

#ifdef HATCHERY_TEST_HOOKS
/* Whether this call is to fail, in place of being made; errno is set then. Any thread. */
bool fault_is_due(const char* name);
#else
constexpr bool fault_is_due(const char*) {
    return false;
}
#endif

/* Makes a call that fails by -1 (or MAP_FAILED) and errno, without another try. */
template <typename Call>
auto attempt_once(const char* name, Call call) -> decltype(call()) {
    using Returned = decltype(call());
    if (fault_is_due(name)) {
        if constexpr (std::is_pointer_v<Returned>) {
            return reinterpret_cast<Returned>(intptr_t{-1});
        } else {
            return static_cast<Returned>(-1);
        }
    }
    return call();
}

/* The same, again as long as a signal interrupts it. `name` is a literal. */
template <typename Call>
auto attempt(const char* name, Call call) -> decltype(call()) {
    for (;;) {
        const auto returned = attempt_once(name, call);
        bool failed;
        if constexpr (std::is_pointer_v<decltype(call())>) {
            failed = reinterpret_cast<intptr_t>(returned) == -1;
        } else {
            failed = returned == -1;
        }
        if (!failed || errno != EINTR) {
            return returned;
        }
    }
}

}  // namespace hatchery

#endif
