/* A WebAssembly module that answers requests over the module hatchery: see docs/wasm.md. */
#include <hatchery_module.h>

static int requests;

void hatchery_handle(void) {
    static char request[65536], body[65536];
    hatchery_request_head(request, sizeof request);
    const int32_t bytes = hatchery_request_body_read(body, sizeof body);
    static const char head[] = "content-type\0text/plain"; /* the compiler adds the last NUL */
    hatchery_response_begin(200, head, sizeof head);
    hatchery_response_write("You sent: ", 10);
    hatchery_response_write(body, bytes > 0 ? (size_t)bytes : 0);
    hatchery_response_write("\n", 1);
    requests++; /* The next request finds 0 again. */
}
