/* A reactor: it answers over the calls of the module `hatchery`. */
#include <stdint.h>
#include <string.h>

#define IMPORT(name) __attribute__((import_module("hatchery"), import_name(#name)))
IMPORT(request_head) int32_t request_head(void *buffer, uint32_t capacity);
IMPORT(request_body_read) int32_t request_body_read(void *buffer, uint32_t capacity);
IMPORT(response_begin) int32_t response_begin(uint32_t status, const void *head, uint32_t head_bytes);
IMPORT(response_write) int32_t response_write(const void *bytes, uint32_t count);
IMPORT(response_flush) int32_t response_flush(void);
IMPORT(log) int32_t log_text(uint32_t level, const void *text, uint32_t bytes);

static int initialized, handled;

__attribute__((constructor)) static void initialize(void) {
    initialized++;
}

__attribute__((export_name("hatchery_handle"))) void hatchery_handle(void) {
    static char head[65536], body[65536];
    const int32_t head_bytes = request_head(head, sizeof head);
    const char *url = head + strlen(head) + 1;
    handled++;
    if (strstr(url, "/none") != NULL) {
        return;
    }
    if (strstr(url, "/twice") != NULL) {
        const int32_t results[] = {
            response_write("x", 1),          response_begin(99, "", 0),
            response_begin(200, (void *)0xffffff00u, 8), request_head((void *)0xffffff00u, 4096),
            log_text(1, "x", 1),             log_text(30, "to the log", 10),
            response_begin(200, "", 0),      response_begin(200, "", 0),
        };
        for (unsigned i = 0; i < sizeof results / sizeof results[0]; i++) {
            response_write(results[i] == 0 ? "0" : results[i] == -1 ? "-" : "?", 1);
        }
        return;
    }
    static const char headers[] = "content-type\0text/plain\0x-counts";
    char all[sizeof headers + 4];
    memcpy(all, headers, sizeof headers);
    all[sizeof headers] = (char)('0' + initialized);
    all[sizeof headers + 1] = (char)('0' + handled);
    all[sizeof headers + 2] = 0;
    response_begin(201, all, sizeof headers + 3);
    response_write(head, (uint32_t)(strchr(url, 0) - head));
    if (strstr(url, "/stream") != NULL) {
        response_flush();
    }
    for (int32_t count; (count = request_body_read(body, sizeof body)) > 0;) {
        response_write(body, (uint32_t)count);
    }
    (void)head_bytes;
}
