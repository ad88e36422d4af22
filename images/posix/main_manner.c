/*
 * A program with main: it runs for each request, in the manner of CGI. The snapshot is taken before it,
 * behind its constructors.
 */
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include "../gateway/gateway.h"
#include "../gateway/kept_request.h"
#include "../kernel/kernel.h"
#include "posix.h"

int main(int argc, char **argv, char **environment);

static jmp_buf behind_main;
static enum { STARTING, READY, RUNNING, ENDED } state;
static int exit_code;
static char **arguments;
static size_t argument_count;

static _Noreturn void leave(int code) {
    if (state != RUNNING) {
        posix_panic("the program ended before there was a request, with exit code ", code & 0xff);
    }
    exit_code = code & 0xff;
    longjmp(behind_main, 1);
}

const struct manner manner = {kept_request_read, gateway_write, gateway_write_error, leave,
                              kept_request_save};

void application_start(void) {
    static char *none[] = {NULL};
    const struct strings words = gateway_arguments();
    arguments = strings_vector(&words);
    argument_count = words.count;
    library_begin(arguments, none);
    state = READY;
}

void application_serve(void) {
    /* What main left in its variables and in the C library's cannot be told from what it began with. */
    if (state != READY) {
        gateway_fail("InstanceUsedError",
                     "a program with main answers one request in an instance's life, and this is another: "
                     "spawn an instance for each, or define application_start and application_serve");
        return;
    }
    gateway_begin();
    const struct strings variables = gateway_environment();
    environ = strings_vector(&variables);
    state = RUNNING;
    if (setjmp(behind_main) == 0) {
        exit(main((int)argument_count, arguments, environ));
    }
    state = ENDED;
    gateway_end(exit_code);
}
