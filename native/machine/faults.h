/* Faults on demand, for the test addon: which system calls there are, and one of them that fails.
 */
#ifndef HATCHERY_MACHINE_FAULTS_H
#define HATCHERY_MACHINE_FAULTS_H
#ifdef HATCHERY_TEST_HOOKS

#include <napi.h>

namespace hatchery {

/*
 * {record(), recorded(), inject(call, number, errno), injected()}. `record` forgets what was
 * recorded; `recorded` gives the names of the calls since then and how often each was made.
 * `inject` makes call `number`, counting from 1 at this moment, fail once; `injected` tells whether
 * it has, and withdraws it. For the whole process: all its threads and environments.
 */
Napi::Object new_faults_object(Napi::Env env);

}  // namespace hatchery

#endif
#endif
