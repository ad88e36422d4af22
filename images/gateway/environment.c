/* The variables of a request. */
#include <string.h>

#include "../kernel/kernel.h"
#include "gateway.h"
#include "kept_request.h"

enum { ENVIRONMENT_BYTES = 768 << 10, ARGUMENTS_BYTES = 64 << 10 };

static char environment[ENVIRONMENT_BYTES];
static char arguments[ARGUMENTS_BYTES];

/* strcspn and strstr of Debian's musl have stack protectors, which read FS: a guest has no base there. */
static size_t length_without(const char *text, const char *ends) {
    size_t length = 0;
    while (text[length] != 0 && strchr(ends, text[length]) == NULL) {
        length++;
    }
    return length;
}

/* Strings that are being laid into a buffer. */
struct builder {
    char *start;
    size_t bytes, capacity, count;
};

static void append(struct builder *to, const char *text, size_t bytes) {
    if (bytes > to->capacity - to->bytes) {
        static const char message[] = "environment and arguments are too large";
        panic(HATCHERY_PANIC_ABORT, message, sizeof message - 1);
    }
    memcpy(to->start + to->bytes, text, bytes);
    to->bytes += bytes;
}

static void end_string(struct builder *to) {
    append(to, "", 1);
    to->count++;
}

static void add(struct builder *to, const char *name, const char *value, size_t value_bytes) {
    append(to, name, strlen(name));
    append(to, "=", 1);
    append(to, value, value_bytes);
    end_string(to);
}

static void add_text(struct builder *to, const char *name, const char *value) {
    add(to, name, value, strlen(value));
}

/* Strings of a configuration item, each with a NUL behind it. */
static void append_item(struct builder *to, const char *name) {
    size_t bytes;
    const char *strings = configuration_find(name, &bytes);
    if (strings == NULL) {
        return;
    }
    append(to, strings, bytes);
    for (size_t i = 0; i < bytes; i++) {
        to->count += strings[i] == 0;
    }
    /* Whatever the host sends, what is read as strings ends with one. */
    if (bytes > 0 && strings[bytes - 1] != 0) {
        end_string(to);
    }
}

/* -- The request's. -- */

/* The parts of an absolute URL; all point into it. */
struct url {
    const char *host, *port, *path, *query;
    size_t host_bytes, port_bytes, path_bytes, query_bytes;
    int is_secure;
};

static struct url url_parts(const char *text) {
    struct url url = {.is_secure = strncmp(text, "https:", 6) == 0};
    const char *scheme_end = text + length_without(text, ":");
    const char *authority = strncmp(scheme_end, "://", 3) == 0 ? scheme_end + 3 : text;
    const char *path = authority + length_without(authority, "/?#");
    const char *end = path + length_without(path, "#");
    const char *query = memchr(path, '?', (size_t)(end - path));
    /* A colon inside the brackets of an IPv6 address is not the port's. */
    const char *after_address = *authority == '[' ? authority + length_without(authority, "]/?#") : authority;
    const char *colon = memchr(after_address, ':', (size_t)(path - after_address));
    url.host = authority;
    url.host_bytes = (size_t)((colon != NULL ? colon : path) - authority);
    url.port = colon != NULL ? colon + 1 : path;
    url.port_bytes = (size_t)(path - url.port);
    url.path = path;
    url.path_bytes = (size_t)((query != NULL ? query : end) - path);
    url.query = query != NULL ? query + 1 : end;
    url.query_bytes = (size_t)(end - url.query);
    return url;
}

static int hexadecimal_digit(char digit) {
    return (digit >= '0' && digit <= '9')   ? digit - '0'
           : (digit >= 'A' && digit <= 'F') ? digit - 'A' + 10
           : (digit >= 'a' && digit <= 'f') ? digit - 'a' + 10
                                            : -1;
}

/* PATH_INFO is decoded (RFC 3875, 4.1.5); what would be a NUL stays as it is. */
static void add_path(struct builder *to, const struct url *url) {
    append(to, "PATH_INFO=", 10);
    for (size_t i = 0; i < url->path_bytes; i++) {
        char byte = url->path[i];
        if (byte == '%' && i + 2 < url->path_bytes) {
            const int high = hexadecimal_digit(url->path[i + 1]);
            const int low = hexadecimal_digit(url->path[i + 2]);
            if (high >= 0 && low >= 0 && high * 16 + low != 0) {
                byte = (char)(high * 16 + low);
                i += 2;
            }
        }
        append(to, &byte, 1);
    }
    end_string(to);
}

static void add_url(struct builder *to, const char *text) {
    const struct url url = url_parts(text);
    add(to, "SERVER_NAME", url.host, url.host_bytes);
    if (url.port_bytes > 0) {
        add(to, "SERVER_PORT", url.port, url.port_bytes);
    } else {
        add_text(to, "SERVER_PORT", url.is_secure ? "443" : "80");
    }
    add_path(to, &url);
    add(to, "X_RAW_PATH_INFO", url.path, url.path_bytes);
    add(to, "QUERY_STRING", url.query, url.query_bytes);
    add_text(to, "X_FULL_URL", text);
    if (url.is_secure) {
        add_text(to, "HTTPS", "on");
    }
}

static const char *next_string(const char *string) {
    return string + strlen(string) + 1;
}

static void append_header_name(struct builder *to, const char *name) {
    for (; *name != 0; name++) {
        const char character = *name == '-'                   ? '_'
                               : *name >= 'a' && *name <= 'z' ? (char)(*name - 32)
                                                              : *name;
        append(to, &character, 1);
    }
}

/* One variable for all headers of a name, their values joined (RFC 3875, 4.1.18). */
static void add_header(struct builder *to, const char *name, const char *end) {
    /* These two have no HTTP_ in front (4.1.2, 4.1.3). */
    if (strcmp(name, "content-type") != 0 && strcmp(name, "content-length") != 0) {
        append(to, "HTTP_", 5);
    }
    append_header_name(to, name);
    append(to, "=", 1);
    int is_first = 1;
    for (const char *at = name; at < end; at = next_string(next_string(at))) {
        if (strcmp(at, name) == 0) {
            if (!is_first) {
                append(to, strcmp(name, "cookie") == 0 ? "; " : ", ", 2);
            }
            append(to, next_string(at), strlen(next_string(at)));
            is_first = 0;
        }
    }
    end_string(to);
}

static int came_before(const char *name, const char *headers) {
    for (const char *at = headers; at < name; at = next_string(next_string(at))) {
        if (strcmp(at, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static void add_headers(struct builder *to, const char *headers, const char *end) {
    for (const char *name = headers; name < end; name = next_string(next_string(name))) {
        /* A client's header Proxy would be taken for the configuration of HTTP libraries ("httpoxy"). */
        if (strcmp(name, "proxy") != 0 && !came_before(name, headers)) {
            add_header(to, name, end);
        }
    }
}

struct strings gateway_environment(void) {
    struct builder to = {.start = environment, .capacity = sizeof environment};
    append_item(&to, "environment");
    size_t head_bytes;
    const char *method = kept_request_head(&head_bytes);
    const char *end = method + head_bytes;
    const char *url = next_string(method);
    add_text(&to, "GATEWAY_INTERFACE", "CGI/1.1");
    add_text(&to, "SERVER_SOFTWARE", "Hatchery/1");
    add_text(&to, "SERVER_PROTOCOL", "HTTP/1.1");
    add_text(&to, "REQUEST_METHOD", method);
    add_text(&to, "SCRIPT_NAME", "");
    add_url(&to, url);
    add_headers(&to, next_string(url), end);
    return (struct strings){environment, to.count, to.bytes};
}

struct strings gateway_arguments(void) {
    struct builder to = {.start = arguments, .capacity = sizeof arguments};
    append_item(&to, "arguments");
    /* A program has a name. */
    if (to.count == 0) {
        append(&to, "program", 7);
        end_string(&to);
    }
    return (struct strings){arguments, to.count, to.bytes};
}
