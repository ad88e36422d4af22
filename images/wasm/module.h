/*
 * The module of an image, as its translation by wasm2c and module_glue.c give it; and what the parts of
 * this folder share.
 */
#ifndef HATCHERY_WASM_MODULE_H
#define HATCHERY_WASM_MODULE_H

#include <stddef.h>
#include <stdint.h>

#include "wasm-rt.h"

typedef uint32_t u32;
typedef uint64_t u64;

/* Which exports it has; each is called with the instance that module_instantiate made. */
extern const int module_has_start, module_has_initialize, module_has_handle;

/* Makes the module anew, its memory and tables too, as they were before its first instruction. */
void module_instantiate(void);
void module_start(void);
void module_initialize(void);
void module_handle(void);

/* Its memory, which it exports. */
const wasm_rt_memory_t *module_memory(void);

/* Where `bytes` bytes at a module's address are; NULL where they are not all in its memory. */
void *module_bytes(u32 address, u32 bytes);

/* How many pages of 64 KiB its memory may have, as the module says; 65,536 where it does not. */
extern const uint32_t module_memory_pages_max;

/* Once, before anything is taken of the heap: sets the module's memory apart. */
void run_time_begin(void);

/* Forgets memory and tables, so that the module can be made anew. */
void run_time_reset(void);

/* Ends the program from within a call that it made: does not return to it. */
_Noreturn void program_exit(int code);

/* Whether a request is being served: only then the host can be waited for. */
int program_is_serving(void);

#endif
