/*
 * The JavaScript engine (QuickJS-NG, translated by wasm2c) as the rest of this image sees it.
 *
 * The engine's C interface (quickjs.h of QuickJS-NG) is called through ENGINE(name, ...). Its
 * pointers are offsets into the linear memory (engine_pointer), its values are NaN-boxed 64-bit
 * words (js_value); who owns a value is as quickjs.h says for each function.
 */
#ifndef HATCHERY_JS_ENGINE_H
#define HATCHERY_JS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../abi/hatchery.h"
#include "quickjs.h" /* made by wasm2c */

typedef uint64_t js_value;
typedef uint32_t engine_pointer;

/* The one engine of the image; wasm2c calls it after the module's name, which is "env". */
extern Z_env_instance_t engine;
/* Its JSContext and JSRuntime. */
extern engine_pointer context;
extern engine_pointer runtime;

#define ENGINE(name, ...) Z_envZ_##name(&engine, ##__VA_ARGS__)
/* The same for the functions of which the first argument is the JSContext. */
#define JS(name, ...) Z_envZ_JS_##name(&engine, context, ##__VA_ARGS__)

/* Tags and layout of a JSValue with JS_NAN_BOXING: quickjs.h, enum JS_TAG_*. */
#define JS_VALUE(tag, payload) ((js_value)(uint32_t)(tag) << 32 | (uint32_t)(payload))
#define JS_BOOLEAN(flag)       JS_VALUE(1, flag)
#define JS_UNDEFINED           JS_VALUE(3, 0)
#define JS_EXCEPTION           JS_VALUE(6, 0)

static inline bool js_is_string(js_value value) {
    const int32_t tag = (int32_t)(value >> 32);
    return tag == -7 || tag == -6; /* a string, or a rope of strings */
}

static inline bool js_is_exception(js_value value) {
    return value >> 32 == 6;
}

static inline bool js_is_undefined(js_value value) {
    return value >> 32 == 3;
}

/* Ownership: each owned value is released once; a duplicate is another one to release. */
static inline void js_release(js_value value) {
    JS(FreeValue, value);
}

static inline js_value js_duplicate(js_value value) {
    return JS(DupValue, value);
}

/* The pending exception, which is no longer pending then. */
static inline js_value js_take_exception(void) {
    return JS(GetException);
}

/* Where an engine's pointer points to. Valid until the engine frees it; memory never moves. */
static inline void *engine_memory(engine_pointer pointer) {
    return (unsigned char *)HATCHERY_HEAP_ADDRESS + pointer;
}

/* Starts the engine and loads its extensions. */
void engine_start(void);

/* Copies `count` bytes and a NUL into the engine's memory; the caller frees with engine_free. */
engine_pointer engine_copy(const void *bytes, size_t count);
engine_pointer engine_allocate(size_t count);
void engine_free(engine_pointer pointer);

/* A new string value from ISO 8859-1 or UTF-8 text. */
js_value engine_string_latin1(const char *text, size_t count);
js_value engine_string_utf8(const char *text, size_t count);

/*
 * Gives `object` a property `name`: a function that calls the C function. `parameters` is what its
 * `length` says; the engine pads missing arguments with undefined up to there.
 */
typedef js_value native_function(void *unused, engine_pointer unused_context, js_value this_value,
                                 uint32_t argument_count, engine_pointer arguments);
void engine_define_function(js_value object, const char *name, native_function *function,
                            uint32_t parameters);

/* Appends a C function to the function table; returns its index, which is its address for C code
 * in the engine. `type` comes from wasm_rt_register_func_type; the first parameter is unused. */
uint32_t engine_table_add(uint32_t type, wasm_rt_function_ptr_t function);

/* An argument of a native function. */
static inline js_value engine_argument(engine_pointer arguments, uint32_t index) {
    return ((const js_value *)engine_memory(arguments))[index];
}

/* The property `name` of `object`; the caller owns the value. */
js_value engine_property(js_value object, const char *name);

/* Runs one pending job; false if there was none. */
bool engine_run_job(void);
bool engine_has_jobs(void);

#endif
