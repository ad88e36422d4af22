/* What a program writes becomes a response: RFC 3875, section 6. */
#include "gateway.h"

#include <string.h>

#include "../kernel/kernel.h"
#include "buffered_response.h"
#include "kept_request.h"

enum { LOG_LINE_BYTES = 4096 };

static enum { IN_HEAD, IN_BODY, BROKEN } state;
static char head_text[RESPONSE_HEAD_CAPACITY];
static size_t head_text_bytes;
static char head[RESPONSE_HEAD_CAPACITY];
static size_t head_bytes;
static uint32_t status;
static const char *problem;
static char line[LOG_LINE_BYTES];
static size_t line_bytes;

void gateway_begin(void) {
    kept_request_begin();
    state = IN_HEAD;
    head_text_bytes = head_bytes = line_bytes = 0;
    status = 0;
    problem = NULL;
}

static void give_up(const char *why) {
    state = BROKEN;
    problem = why;
}

static char lower(char character) {
    return character >= 'A' && character <= 'Z' ? (char)(character + 32) : character;
}

static int has_name(const char *name, size_t bytes, const char *expected) {
    if (bytes != strlen(expected)) {
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        if (lower(name[i]) != expected[i]) {
            return 0;
        }
    }
    return 1;
}

/* `token` of RFC 9110, section 5.6.2. */
static int is_token(const char *name, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        const char character = name[i];
        const char small = lower(character);
        if (!(small >= 'a' && small <= 'z') && !(character >= '0' && character <= '9') &&
            (character == 0 || strchr("!#$%&'*+-.^_`|~", character) == NULL)) {
            return 0;
        }
    }
    return bytes > 0;
}

static int parse_status(const char *value, size_t bytes) {
    const int is_number = bytes >= 3 && (bytes == 3 || value[3] == ' ');
    uint32_t number = 0;
    for (size_t i = 0; is_number && i < 3; i++) {
        if (value[i] < '0' || value[i] > '9') {
            return 0;
        }
        number = number * 10 + (uint32_t)(value[i] - '0');
    }
    if (number < 200 || number > 599) {
        return 0;
    }
    status = number;
    return 1;
}

/* Fits: the head's text, with `: ` or at least `:` and a line feed for the two NULs, did. */
static void add_to_head(const char *text, size_t bytes) {
    memcpy(head + head_bytes, text, bytes);
    head_bytes += bytes;
    head[head_bytes++] = 0;
}

static int parse_line(const char *text, size_t bytes, int *is_redirect) {
    const char *colon = memchr(text, ':', bytes);
    if (colon == NULL || !is_token(text, (size_t)(colon - text))) {
        return 0;
    }
    const size_t name_bytes = (size_t)(colon - text);
    const char *value = colon + 1;
    const char *end = text + bytes;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
        end--;
    }
    if (has_name(text, name_bytes, "status")) {
        return parse_status(value, (size_t)(end - value));
    }
    for (const char *at = value; at < end; at++) {
        if ((unsigned char)*at < 0x20 && *at != '\t') {
            return 0;
        }
    }
    *is_redirect |= has_name(text, name_bytes, "location");
    add_to_head(text, name_bytes);
    add_to_head(value, (size_t)(end - value));
    return 1;
}

/* The text is whole, its last line empty. */
static void parse_head(void) {
    int is_redirect = 0;
    size_t lines = 0;
    for (const char *at = head_text, *end = head_text + head_text_bytes; at < end; lines++) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t bytes = (size_t)(line_end - at);
        bytes -= bytes > 0 && at[bytes - 1] == '\r';
        if (bytes == 0) {
            break;
        }
        if (!parse_line(at, bytes, &is_redirect)) {
            give_up("a line of its head is no header");
            return;
        }
        at = line_end + 1;
    }
    if (lines == 0) {
        give_up("its head has no header");
        return;
    }
    if (status == 0) {
        status = is_redirect ? 302 : 200;
    }
    buffered_response_begin(status, head, head_bytes);
    state = IN_BODY;
}

/* Takes bytes up to the empty line; returns how many. */
static size_t take_head(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (head_text_bytes == sizeof head_text) {
            give_up("its head is too large");
            return count;
        }
        head_text[head_text_bytes++] = bytes[i];
        if (bytes[i] != '\n') {
            continue;
        }
        const char *end = head_text + head_text_bytes - 1;
        end -= end > head_text && end[-1] == '\r';
        if (end == head_text || end[-1] == '\n') {
            parse_head();
            return i + 1;
        }
    }
    return count;
}

void gateway_write(const void *bytes, size_t count) {
    const char *from = bytes;
    if (state == IN_HEAD) {
        const size_t taken = take_head(from, count);
        from += taken;
        count -= taken;
    }
    if (state == IN_BODY && count > 0) {
        buffered_response_write(from, count);
    }
}

void gateway_flush(void) {
    if (state == IN_BODY) {
        buffered_response_flush();
    }
}

static void log_line(void) {
    if (line_bytes > 0) {
        log_write(HATCHERY_LOG_ERROR, line, line_bytes);
        line_bytes = 0;
    }
}

void gateway_write_error(const void *bytes, size_t count) {
    const char *from = bytes;
    for (size_t i = 0; i < count; i++) {
        if (from[i] == '\n' || line_bytes == sizeof line) {
            log_line();
        }
        if (from[i] != '\n') {
            line[line_bytes++] = from[i];
        }
    }
}

/* Appends to a text that has room for it. */
static void append(char *to, const char *text) {
    strcat(to, text);
}

void gateway_fail(const char *name, const char *message) {
    char report[512] = "{\"name\":\"";
    append(report, name);
    append(report, "\",\"message\":\"");
    append(report, message);
    append(report, "\",\"stack\":\"\"}");
    const struct response response = {
        .status = 500,
        .flags = HATCHERY_RESPONSE_ERROR,
        .head = "",
        .head_bytes = 0,
        .body = report,
        .body_bytes = strlen(report),
    };
    respond(&response);
}

static void exit_message(char message[64], int exit_code) {
    char digits[12];
    size_t at = sizeof digits;
    const unsigned long long negative = exit_code < 0;
    unsigned long long rest = negative ? 0ull - (unsigned long long)exit_code : (unsigned long long)exit_code;
    digits[--at] = 0;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    strcpy(message, "the program ended with exit code ");
    append(message, negative ? "-" : "");
    append(message, digits + at);
}

void gateway_end(int exit_code) {
    log_line();
    char message[64];
    exit_message(message, exit_code);
    if (state == IN_BODY && buffered_response_is_sent() && exit_code != 0) {
        char report[160] = "{\"name\":\"ExitError\",\"message\":\"";
        append(report, message);
        append(report, "\",\"stack\":\"\"}");
        panic(HATCHERY_PANIC_BROKEN, report, strlen(report));
    }
    if (exit_code != 0) {
        gateway_fail("ExitError", message);
        return;
    }
    if (state == IN_HEAD) {
        give_up(head_text_bytes == 0 ? "it wrote nothing" : "its head has no end");
    }
    if (state == BROKEN) {
        char text[160] = "the program's output is no CGI response: ";
        append(text, problem);
        gateway_fail("GatewayError", text);
        return;
    }
    buffered_response_end();
}
