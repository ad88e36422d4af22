/* Work that every thread of the process has to do for itself. */
#ifndef HATCHERY_PROCESS_THREADS_H
#define HATCHERY_PROCESS_THREADS_H

#include "../machine/result.h"

namespace hatchery {

/*
 * Runs `job` on every thread of this process, threads that are made meanwhile included. It runs
 * inside a signal handler, so it may only make system calls; it gives 0 or an errno.
 *
 * Fails with the first errno of a job, and with ETIMEDOUT where a thread does not run it. Not to be
 * called by two threads at a time.
 */
Status run_on_all_threads(const char* name, int (*job)());

}  // namespace hatchery

#endif
