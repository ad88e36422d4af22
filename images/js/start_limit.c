#include "start_limit.h"

#include "../kernel/kernel.h"
#include "wasm_runtime.h"

static uint64_t end;
static void (*give_up_start)(js_value error);

/* The engine's JSInterruptHandler: not 0 to interrupt. */
static u32 on_poll(void *unused, u32 unused_runtime, u32 unused_opaque) {
    (void)unused, (void)unused_runtime, (void)unused_opaque;
    if (clock_monotonic() < end) {
        return 0;
    }
    start_limit_end();
    static const char source[] = "new InternalError('interrupted')";
    const engine_pointer copy = engine_copy(source, sizeof source - 1);
    const engine_pointer file = engine_copy("hatchery:prelude", 16);
    give_up_start(JS(Eval, copy, sizeof source - 1, file, 0));
    return 1;
}

/* 0 if there is no limit. */
static uint32_t limit_milliseconds(void) {
    size_t text_bytes;
    const char *text = configuration_find("limits", &text_bytes);
    if (text == NULL) {
        return 0;
    }
    const engine_pointer copy = engine_copy(text, text_bytes);
    const engine_pointer name = engine_copy("limits", 6);
    const js_value limits = JS(ParseJSON, copy, (u32)text_bytes, name);
    engine_free(copy);
    engine_free(name);
    if (js_is_exception(limits)) {
        js_release(js_take_exception());
        return 0;
    }
    const js_value value = engine_property(limits, "startupMilliseconds");
    js_release(limits);
    const engine_pointer cell = engine_allocate(sizeof(uint32_t));
    const bool is_number = JS(ToInt32, cell, value) == 0;
    const uint32_t milliseconds = is_number ? *(const uint32_t *)engine_memory(cell) : 0;
    engine_free(cell);
    js_release(value);
    return milliseconds;
}

void start_limit_begin(void (*give_up)(js_value error)) {
    const uint32_t milliseconds = limit_milliseconds();
    if (milliseconds == 0) {
        return;
    }
    give_up_start = give_up;
    end = clock_monotonic() + milliseconds * UINT64_C(1000000);
    const uint32_t type = wasm_rt_register_func_type(2, 1, WASM_RT_I32, WASM_RT_I32, WASM_RT_I32);
    ENGINE(JS_SetInterruptHandler, runtime, engine_table_add(type, (wasm_rt_function_ptr_t)on_poll),
           0);
}

void start_limit_end(void) {
    ENGINE(JS_SetInterruptHandler, runtime, 0, 0);
}
