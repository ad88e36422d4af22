/*
 * The JavaScript application: at start it runs the prelude (which makes the web APIs) and the
 * user's module; for each request it calls the module's handler through the prelude.
 */
#include <string.h>

#include "../kernel/kernel.h"
#include "call_functions.h"
#include "engine.h"
#include "host_functions.h"
#include "request_functions.h"
#include "start_limit.h"
#include "text.h"
#include "wasm_runtime.h"

/* quickjs.h of QuickJS-NG. */
enum { EVAL_TYPE_MODULE = 1, EVAL_COMPILE_ONLY = 1 << 5, READ_BYTECODE = 1 };
enum promise_state { PROMISE_PENDING, PROMISE_FULFILLED, PROMISE_REJECTED };

enum { ARGUMENTS_MAX = 3 };

/* What the prelude left on its host object; see prelude/main.ts. */
static struct {
    js_value start;     /* (default export): checks and keeps the handler */
    js_value serve;     /* (method, url): calls the handler; gives a promise unless it is done */
    js_value settle;    /* (what the handler's promise gave): sends it; gives as serve does */
    js_value fail;      /* (error): sends an error report */
    js_value report;    /* (error): the error report as JSON */
    js_value rejection; /* (promise, reason, is handled): a promise was rejected and nothing
                           handles it, or now something does */
    js_value turn;      /* (): no jobs are left; does what comes next: calls a timer's callback, or
                           waits and delivers what came; false if there is nothing to wait for */
    js_value linger;    /* (): turn, as long as work in the background is to go on */
    js_value idle;      /* (): nothing is left, after start-up or work in the background */
} prelude;

/* Arguments on their way into the engine, which copies them before it runs anything. */
static engine_pointer argument_cells;

static js_value call(js_value function, uint32_t count, const js_value *arguments) {
    memcpy(engine_memory(argument_cells), arguments, count * sizeof *arguments);
    const js_value result = JS(Call, function, JS_UNDEFINED, count, argument_cells);
    for (uint32_t i = 0; i < count; i++) {
        js_release(arguments[i]);
    }
    return result;
}

static bool is_out_of_memory(js_value error) {
    if (!memory_was_refused) {
        return false;
    }
    const js_value message = engine_property(error, "message");
    struct text text;
    bool is_it = true; /* an error that cannot even be read */
    if (js_is_string(message) && text_of_body(&text, message)) {
        static const char expected[] = "out of memory";
        is_it = text.bytes == sizeof expected - 1 && memcmp(text.start, expected, text.bytes) == 0;
        text_release(&text);
    }
    js_release(message);
    return is_it;
}

static _Noreturn void panic_text(enum hatchery_panic_reason reason, const char *text) {
    panic(reason, text, strlen(text));
}

static _Noreturn void panic_memory(void) {
    panic_text(HATCHERY_PANIC_MEMORY, "out of memory");
}

/* Ends the instance with the report of the error. */
static _Noreturn void panic_error(enum hatchery_panic_reason reason, js_value error) {
    if (is_out_of_memory(error)) {
        panic_memory();
    }
    const js_value report = call(prelude.report, 1, &error);
    struct text text;
    if (!js_is_string(report) || !text_of_body(&text, report)) {
        panic_text(reason, "{\"name\":\"Error\",\"message\":\"an error that cannot be reported\"}");
    }
    panic(reason, text.start, text.bytes);
}

static _Noreturn void panic_startup(js_value error) {
    panic_error(HATCHERY_PANIC_STARTUP, error);
}

static void on_rejection(void *unused, engine_pointer unused_context, js_value promise,
                         js_value reason, uint32_t is_handled, engine_pointer unused_opaque) {
    (void)unused, (void)unused_context, (void)unused_opaque;
    const js_value arguments[] = {js_duplicate(promise), js_duplicate(reason),
                                  JS_BOOLEAN(is_handled != 0)};
    js_release(call(prelude.rejection, 3, arguments));
}

static js_value run_prelude(void) {
    extern const char prelude_bytecode[], prelude_bytecode_end[];
    const size_t bytecode_bytes = (size_t)(prelude_bytecode_end - prelude_bytecode);
    const js_value host = JS(NewObject);
    host_functions_define(host);
    request_functions_define(host);
    call_functions_define(host);
    const js_value global = JS(GetGlobalObject);
    const engine_pointer name = engine_copy("host", 4);
    JS(SetPropertyStr, global, name, js_duplicate(host));
    engine_free(name);
    js_release(global);
    const engine_pointer bytecode = engine_copy(prelude_bytecode, bytecode_bytes);
    const js_value script = JS(ReadObject, bytecode, (u32)bytecode_bytes, READ_BYTECODE);
    engine_free(bytecode);
    const js_value result = JS(EvalFunction, script);
    if (js_is_exception(result)) {
        panic_text(memory_was_refused ? HATCHERY_PANIC_MEMORY : HATCHERY_PANIC_ABORT,
                   "the prelude failed");
    }
    js_release(result);
    prelude.start = engine_property(host, "start");
    prelude.serve = engine_property(host, "serve");
    prelude.settle = engine_property(host, "settle");
    prelude.fail = engine_property(host, "fail");
    prelude.report = engine_property(host, "report");
    prelude.rejection = engine_property(host, "rejection");
    prelude.turn = engine_property(host, "turn");
    prelude.linger = engine_property(host, "linger");
    prelude.idle = engine_property(host, "idle");
    return host;
}

/* Evaluates the user's module and returns its default export. */
static js_value run_module(void) {
    size_t source_bytes;
    const char *source = configuration_find("module", &source_bytes);
    if (source == NULL) {
        panic_text(HATCHERY_PANIC_STARTUP, "{\"name\":\"TypeError\",\"message\":\"the function "
                                           "has no module\",\"stack\":\"\"}");
    }
    const engine_pointer copy = engine_copy(source, source_bytes);
    const engine_pointer file = engine_copy("function.js", 11);
    const js_value module =
        JS(Eval, copy, (u32)source_bytes, file, EVAL_TYPE_MODULE | EVAL_COMPILE_ONLY);
    engine_free(copy);
    engine_free(file);
    if (js_is_exception(module)) {
        panic_error(HATCHERY_PANIC_STARTUP, js_take_exception());
    }
    const engine_pointer definition = (engine_pointer)module;
    const js_value promise = JS(EvalFunction, module);
    if (js_is_exception(promise)) {
        panic_error(HATCHERY_PANIC_STARTUP, js_take_exception());
    }
    while (engine_run_job()) {
    }
    switch (JS(PromiseState, promise)) {
        case PROMISE_PENDING:
            panic_text(HATCHERY_PANIC_PENDING,
                       "the module awaits, at top level, a promise that can never settle");
        case PROMISE_REJECTED: panic_error(HATCHERY_PANIC_STARTUP, JS(PromiseResult, promise));
        default: js_release(promise);
    }
    const js_value namespace = JS(GetModuleNamespace, definition);
    const js_value handler = engine_property(namespace, "default");
    js_release(namespace);
    return handler;
}

static js_value configuration_string(const char *name) {
    size_t value_bytes;
    const char *value = configuration_find(name, &value_bytes);
    return value == NULL ? JS_UNDEFINED : engine_string_utf8(value, value_bytes);
}

static void set_property(js_value object, const char *name, js_value value) {
    const engine_pointer copy = engine_copy(name, strlen(name));
    JS(SetPropertyStr, object, copy, value);
    engine_free(copy);
}

/*
 * Collects garbage now, and puts off the next collection until the program has taken another
 * quarter of the memory: a short request then has none.
 */
static void settle_heap(void) {
    ENGINE(JS_RunGC, runtime);
    const uint32_t used = engine.w2c_memory.size;
    const uint32_t limit = engine.w2c_memory.max_pages * 65536u;
    ENGINE(JS_SetGCThreshold, runtime, used + (limit - used) / 4);
}

IMAGE_STARTS_UNCONFIGURED;

void application_start(void) {
    engine_start();
    text_start();
    argument_cells = engine_allocate(ARGUMENTS_MAX * sizeof(js_value));
    const js_value host = run_prelude();
    const uint32_t tracker_type = wasm_rt_register_func_type(5, 0, WASM_RT_I32, WASM_RT_I64,
                                                             WASM_RT_I64, WASM_RT_I32, WASM_RT_I32);
    ENGINE(JS_SetHostPromiseRejectionTracker, runtime,
           engine_table_add(tracker_type, (wasm_rt_function_ptr_t)on_rejection), 0);
    start_unconfigured();
    set_property(host, "env", configuration_string("env"));
    set_property(host, "bindings", configuration_string("bindings"));
    set_property(host, "limits", configuration_string("limits"));
    js_release(host);
    start_limit_begin(panic_startup);
    const js_value handler = run_module();
    const js_value started = call(prelude.start, 1, &handler);
    if (js_is_exception(started)) {
        panic_error(HATCHERY_PANIC_STARTUP, js_take_exception());
    }
    while (engine_run_job()) {
    }
    start_limit_end();
    js_release(call(prelude.idle, 0, NULL));
    settle_heap();
}

/* Calls `turn` or `linger`; false if nothing can happen any more. */
static bool take_turn(js_value function) {
    const js_value result = call(function, 0, NULL);
    if (js_is_exception(result)) {
        panic_error(HATCHERY_PANIC_ABORT, js_take_exception());
    }
    return result == JS_BOOLEAN(true);
}

/* Runs jobs, timers and completions until the promise is settled; if it never is, the instance
 * ends. */
static enum promise_state wait(js_value promise) {
    enum promise_state state;
    while ((state = JS(PromiseState, promise)) == PROMISE_PENDING) {
        if (!engine_run_job() && !take_turn(prelude.turn)) {
            panic_text(HATCHERY_PANIC_STALLED,
                       response_was_begun() ? "the response's body stream never ends"
                                            : "the handler awaits a promise that never settles");
        }
    }
    return state;
}

/* Answers with an error report; takes the error. */
static js_value fail(js_value error) {
    if (is_out_of_memory(error)) {
        panic_memory();
    }
    if (response_was_begun()) {
        panic_error(HATCHERY_PANIC_BROKEN, error);
    }
    return call(prelude.fail, 1, &error);
}

void application_serve(void) {
    host_functions_reset();
    request_functions_reset();
    size_t head_bytes;
    const char *method = request_head(&head_bytes);
    const size_t method_bytes = strlen(method);
    const char *url = method + method_bytes + 1;
    const js_value request[] = {engine_string_latin1(method, method_bytes),
                                engine_string_latin1(url, strlen(url))};
    js_value result = call(prelude.serve, 2, request);
    while (!response_was_completed()) {
        if (js_is_exception(result)) {
            result = fail(js_take_exception());
            if (js_is_exception(result)) {
                panic_error(HATCHERY_PANIC_ABORT, js_take_exception());
            }
            continue;
        }
        const enum promise_state state = wait(result);
        const js_value value = JS(PromiseResult, result);
        js_release(result);
        if (state == PROMISE_REJECTED) {
            result = fail(value);
        } else if (response_was_completed()) {
            result = value;
        } else {
            result = call(prelude.settle, 1, &value);
        }
    }
    js_release(result);
    while (engine_run_job()) {
    }
    if (!response_goes_on()) {
        return;
    }
    while (take_turn(prelude.linger)) {
        while (engine_run_job()) {
        }
    }
    js_release(call(prelude.idle, 0, NULL));
}
