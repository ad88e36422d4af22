/* The system calls that this process may still make, by seccomp. */
#ifndef HATCHERY_PROCESS_SYSTEM_CALLS_H
#define HATCHERY_PROCESS_SYSTEM_CALLS_H

#include "../machine/result.h"

namespace hatchery {

/* Whether the kernel has seccomp filters that bind all threads at once. */
bool has_system_call_filters();

/*
 * Refuses on every thread, for ever, what serving requests never needs: starting programs and
 * processes, tracing, signals to other processes, mounting, namespaces, kernel modules, listening,
 * unusual sockets. PR_SET_NO_NEW_PRIVS must be set.
 */
Status filter_system_calls();

/*
 * The same for a process that builds: it may start programs and processes, which are bound as it is,
 * and has no sockets at all, but pairs of its own.
 */
Status filter_system_calls_of_builder();

}  // namespace hatchery

#endif
