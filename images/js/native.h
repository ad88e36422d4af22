/* How a function that the prelude calls is written in C. */
#ifndef HATCHERY_JS_NATIVE_H
#define HATCHERY_JS_NATIVE_H

#include "engine.h"

/* A function for engine_define_function. It sees its arguments through `arguments`. */
#define NATIVE(name)                                                                               \
    static js_value name(void *unused, engine_pointer unused_context, js_value this_value,         \
                         uint32_t count, engine_pointer arguments)
#define IGNORE_REST (void)unused, (void)unused_context, (void)this_value, (void)count

#endif
