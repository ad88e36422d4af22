/* A module's life: made before the snapshot, run for each request. */
#include <setjmp.h>
#include <string.h>

#include "../gateway/gateway.h"
#include "../kernel/kernel.h"
#include "descriptors.h"
#include "module.h"
#include "responding.h"

static jmp_buf exit_target;
static int exit_code;
static int is_running;
static int was_run;

_Noreturn void program_exit(int code) {
    if (!is_running) {
        static const char text[] = "{\"name\":\"ExitError\",\"message\":\"the module ended in its start-up\",\"stack\":\"\"}";
        panic(HATCHERY_PANIC_STARTUP, text, sizeof text - 1);
    }
    exit_code = code;
    longjmp(exit_target, 1);
}

int program_is_serving(void) {
    return is_running;
}

/* Runs an entry; returns the code that it ended with. */
static int run(void (*entry)(void)) {
    exit_code = 0;
    is_running = 1;
    if (setjmp(exit_target) == 0) {
        entry();
    }
    is_running = 0;
    return exit_code;
}

void application_start(void) {
    run_time_begin();
    descriptors_begin();
    module_instantiate();
    /* A command's own start is each request's. */
    if (module_has_initialize) {
        module_initialize();
    }
}

static void serve_by_handle(void) {
    responding_begin();
    const int code = run(module_handle);
    if (code != 0) {
        static const char text[] = "hatchery_handle called proc_exit";
        panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
    }
    responding_end();
}

static void serve_as_command(void) {
    /* A command runs once in its life: in an instance that lives for several requests, each has a new
     * one, which finds nothing of those before. */
    descriptors_begin();
    if (was_run) {
        module_instantiate();
        files_clear_scratch();
    }
    was_run = 1;
    gateway_begin();
    gateway_end(run(module_start));
}

void application_serve(void) {
    if (module_has_handle) {
        serve_by_handle();
    } else {
        serve_as_command();
    }
}
