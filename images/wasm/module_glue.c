/*
 * Compiled for each module, with the header that wasm2c made of it. What the header declares depends on
 * what the module has: the image builder defines HAS_START, HAS_INITIALIZE, HAS_HANDLE and
 * MEMORY_PAGES_MAX.
 */
#include "module.h"

#include "module_translated.h"

static Z_module_instance_t instance;

void module_instantiate(void) {
    static int is_initialized;
    if (!is_initialized) {
        is_initialized = 1;
        Z_module_init_module();
    }
    run_time_reset();
    /* Besides, it takes a pointer for each module that it imports from, none of which is used. */
    ((void (*)(Z_module_instance_t *, void *, void *, void *))(void (*)(void))Z_module_instantiate)(
        &instance, NULL, NULL, NULL);
}

const uint32_t module_memory_pages_max = MEMORY_PAGES_MAX;

const wasm_rt_memory_t *module_memory(void) {
    return Z_moduleZ_memory(&instance);
}

#ifdef HAS_START
const int module_has_start = 1;
void module_start(void) {
    Z_moduleZ__start(&instance);
}
#else
const int module_has_start = 0;
void module_start(void) {}
#endif

#ifdef HAS_INITIALIZE
const int module_has_initialize = 1;
void module_initialize(void) {
    Z_moduleZ__initialize(&instance);
}
#else
const int module_has_initialize = 0;
void module_initialize(void) {}
#endif

#ifdef HAS_HANDLE
const int module_has_handle = 1;
void module_handle(void) {
    Z_moduleZ_hatchery_handle(&instance);
}
#else
const int module_has_handle = 0;
void module_handle(void) {}
#endif
