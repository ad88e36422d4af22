/*
 * A program that defines application_start and application_serve (../kernel/kernel.h) and has the C
 * library besides: what it prints goes to the log.
 */
#include <string.h>

#include "../gateway/gateway.h"
#include "../kernel/kernel.h"
#include "posix.h"

enum { LINE_BYTES = 4096 };

struct line {
    enum hatchery_log_level level;
    size_t bytes;
    char text[LINE_BYTES];
};

static struct line output = {.level = HATCHERY_LOG_INFO}, errors = {.level = HATCHERY_LOG_ERROR};

static void append(struct line *line, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n' || line->bytes == LINE_BYTES) {
            log_write(line->level, line->text, line->bytes);
            line->bytes = 0;
        }
        if (bytes[i] != '\n') {
            line->text[line->bytes++] = bytes[i];
        }
    }
}

static size_t read_nothing(void *buffer, size_t capacity) {
    (void)buffer, (void)capacity;
    return 0;
}

static void write_output(const void *bytes, size_t count) {
    append(&output, bytes, count);
}

static void write_error(const void *bytes, size_t count) {
    append(&errors, bytes, count);
}

static _Noreturn void leave(int code) {
    posix_panic("the program called exit with code ", code & 0xff);
}

/* The application reads its request itself, and before it sleeps. */
static void keep_nothing(void) {}

const struct manner manner = {read_nothing, write_output, write_error, leave, keep_nothing};

/* The function's own variables: the configuration item `environment`, each with a NUL behind it. */
static struct strings configured_environment(void) {
    struct strings strings = {.start = configuration_find("environment", &strings.bytes)};
    for (size_t i = 0; strings.start != NULL && i < strings.bytes; i++) {
        strings.count += strings.start[i] == 0;
    }
    return strings;
}

void library_start(void) {
    const struct strings words = gateway_arguments(), variables = configured_environment();
    library_begin(strings_vector(&words), strings_vector(&variables));
}
