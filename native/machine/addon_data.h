/* What one Node environment (the main thread, or a worker thread) has of a driver's addon. */
#ifndef HATCHERY_MACHINE_ADDON_DATA_H
#define HATCHERY_MACHINE_ADDON_DATA_H

#include <napi.h>

#include <memory>

#include "result.h"
#include "runners.h"
#include "snapshot.h"

namespace hatchery {

/* Places in the `result` array, which describes the last exit; src/drivers/native-shell.ts reads
 * it. */
enum ResultIndex : size_t {
    kPayloadBytes,
    kLogBytes,
    kSpawnMicroseconds,
    kGuestMicroseconds,
    kCpuMicroseconds,
    kHasRegisters,
    kInstructionPointer,
    kStackPointer,
    kUsedPages, /* of the last rewind, destroy or memoryUse, where that knew it */
    kResultCount,
};

struct AddonData {
    explicit AddonData(Napi::Env env);

    Napi::FunctionReference snapshot_class;
    Napi::FunctionReference machine_class;

    /* The last exit's description, response window and log window, for the JavaScript side to read
     * before it calls anything else. */
    Napi::Reference<Napi::Float64Array> result;
    Napi::Reference<Napi::Uint8Array> payload;
    Napi::Reference<Napi::Uint8Array> logs;
    double* result_values;
    uint8_t* payload_bytes;
    uint8_t* log_bytes;

    /* What probe() found stays open: a process that gave up its rights could not open it again. */
    std::shared_ptr<const void> hypervisor;

    /* Last, so that their threads have ended before anything else goes. The second are for
     * creating, capturing and destroying machines, which so never waits for guests. */
    std::unique_ptr<Runners> runners;
    std::unique_ptr<Runners> upkeep;
};

/* A JavaScript Error with the properties `call` (string) and `errno` (number). */
Napi::Error failure_to_error(Napi::Env env, const Failure& failure);

/* Throws it; for use as `return throw_failure(env, failure)`. */
Napi::Value throw_failure(Napi::Env env, const Failure& failure);

/* The classes, and how their instances are made from the C++ side. */
Napi::Function define_snapshot_class(Napi::Env env);
Napi::Function define_machine_class(Napi::Env env);
Napi::Object new_snapshot_object(Napi::Env env, std::shared_ptr<Snapshot> snapshot);

/*
 * For a driver's module: makes this environment's AddonData and exports what is the same for all of
 * them (`NativeAddon` of src/drivers/native.ts). The driver adds `probe` and `load`.
 * `reserved_bytes`: of a machine's memory, what at its start is the driver's own.
 */
void export_machines(Napi::Env env, Napi::Object exports, uint64_t reserved_bytes);

}  // namespace hatchery

#endif
