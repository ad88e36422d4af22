#include "engine.h"

#include <string.h>

#include "../kernel/kernel.h"
#include "extensions.h"
#include "wasm_runtime.h"

/*
 * The engine measures its depth on its own stack, 1 MiB of the linear memory below address
 * 1,048,576. The native stack grows with it, by up to 12 times as much (measured with deep
 * JSON.stringify); at this limit that is 4.7 of the 8 MiB that an instance has.
 */
enum { STACK_BYTES = 400 * 1024 };

Z_env_instance_t engine;
engine_pointer context;
engine_pointer runtime;

static uint32_t native_function_type;
/* Where the engine writes which context a job ran in; there is one. */
static engine_pointer job_context_cell;

void engine_start(void) {
    Z_env_init_module();
    Z_env_instantiate(&engine, &engine, NULL);
    ENGINE(_initialize);
    if (ENGINE(qjs_init) != 0) {
        static const char text[] = "the JavaScript engine did not start";
        panic(HATCHERY_PANIC_MEMORY, text, sizeof text - 1);
    }
    context = ENGINE(qjs_get_context_ptr);
    runtime = ENGINE(qjs_get_runtime_ptr);
    ENGINE(JS_SetMaxStackSize, runtime, STACK_BYTES);
    native_function_type = wasm_rt_register_func_type(4, 1, WASM_RT_I32, WASM_RT_I64, WASM_RT_I32,
                                                      WASM_RT_I32, WASM_RT_I64);
    job_context_cell = engine_allocate(sizeof(engine_pointer));
    extensions_load();
}

engine_pointer engine_allocate(size_t count) {
    const engine_pointer pointer = ENGINE(malloc, (u32)count);
    if (pointer == 0) {
        static const char text[] = "out of memory";
        panic(HATCHERY_PANIC_MEMORY, text, sizeof text - 1);
    }
    return pointer;
}

engine_pointer engine_copy(const void *bytes, size_t count) {
    const engine_pointer pointer = engine_allocate(count + 1);
    char *to = engine_memory(pointer);
    memcpy(to, bytes, count);
    to[count] = 0;
    return pointer;
}

void engine_free(engine_pointer pointer) {
    ENGINE(free, pointer);
}

js_value engine_string_utf8(const char *text, size_t count) {
    const engine_pointer copy = engine_copy(text, count);
    const js_value value = JS(NewStringLen, copy, (u32)count);
    engine_free(copy);
    return value;
}

static bool is_ascii(const char *text, size_t count) {
    unsigned char all = 0;
    for (size_t i = 0; i < count; i++) {
        all |= (unsigned char)text[i];
    }
    return all < 0x80;
}

js_value engine_string_latin1(const char *text, size_t count) {
    if (is_ascii(text, count)) {
        return engine_string_utf8(text, count);
    }
    const engine_pointer wide = engine_allocate(count * sizeof(uint16_t));
    uint16_t *to = engine_memory(wide);
    for (size_t i = 0; i < count; i++) {
        to[i] = (unsigned char)text[i];
    }
    const js_value value = JS(NewStringUTF16, wide, (u32)count);
    engine_free(wide);
    return value;
}

uint32_t engine_table_add(uint32_t type, wasm_rt_function_ptr_t function) {
    wasm_rt_funcref_table_t *table = &engine.w2c___indirect_function_table;
    const uint32_t index = table_reserve(table, 1);
    table->data[index] = (wasm_rt_funcref_t){.func_type = type, .func = function};
    return index;
}

void engine_define_function(js_value object, const char *name, native_function *function,
                            uint32_t parameters) {
    const uint32_t index = engine_table_add(native_function_type, (wasm_rt_function_ptr_t)function);
    const engine_pointer copy = engine_copy(name, strlen(name));
    const js_value value = JS(NewCFunction2, index, copy, parameters, 0, 0);
    JS(SetPropertyStr, object, copy, value);
    engine_free(copy);
}

js_value engine_property(js_value object, const char *name) {
    const engine_pointer copy = engine_copy(name, strlen(name));
    const js_value value = JS(GetPropertyStr, object, copy);
    engine_free(copy);
    return value;
}

bool engine_has_jobs(void) {
    return ENGINE(JS_IsJobPending, runtime) != 0;
}

bool engine_run_job(void) {
    /* A job that throws (which no promise reaction does) leaves its exception: forget it. */
    const int32_t done = (int32_t)ENGINE(JS_ExecutePendingJob, runtime, job_context_cell);
    if (done < 0) {
        js_release(js_take_exception());
    }
    return done != 0;
}

/*
 * Imports of the engine. It calls all but the time zone's only after it was told to (by qjs_set_…
 * and qjs_new_host_function), which this image never does: natives are table entries instead.
 */
static _Noreturn void impossible_import(void) {
    static const char text[] = "the engine called a host function that was never registered";
    panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
}

u32 Z_envZ_host_call(Z_env_instance_t *unused, u32 name, u32 name_bytes, u32 this_value, u32 count,
                     u32 arguments) {
    (void)unused, (void)name, (void)name_bytes, (void)this_value, (void)count, (void)arguments;
    impossible_import();
}

u32 Z_envZ_host_interrupt(Z_env_instance_t *unused) {
    (void)unused;
    impossible_import();
}

u32 Z_envZ_host_module_load(Z_env_instance_t *unused, u32 name, u32 result_bytes) {
    (void)unused, (void)name, (void)result_bytes;
    impossible_import();
}

u32 Z_envZ_host_module_normalize(Z_env_instance_t *unused, u32 base, u32 name) {
    (void)unused, (void)base, (void)name;
    impossible_import();
}

void Z_envZ_host_promise_rejection(Z_env_instance_t *unused, u32 promise, u32 reason, u32 handled) {
    (void)unused, (void)promise, (void)reason, (void)handled;
    impossible_import();
}

/* The guest's time zone is UTC. */
u32 Z_envZ_host_get_timezone_offset(Z_env_instance_t *unused, u32 high, u32 low) {
    (void)unused, (void)high, (void)low;
    return 0;
}
