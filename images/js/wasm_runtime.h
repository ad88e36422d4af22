/* What the glue needs of the wasm2c run time beyond wasm-rt.h. */
#ifndef HATCHERY_JS_WASM_RUNTIME_H
#define HATCHERY_JS_WASM_RUNTIME_H

#include <stdbool.h>

#include "wasm-rt.h"

/* Whether the engine ever asked for memory that the instance does not have. */
extern bool memory_was_refused;

/* Appends `count` null entries to the table; returns the index of the first. */
uint32_t table_reserve(wasm_rt_funcref_table_t *table, uint32_t count);

#endif
