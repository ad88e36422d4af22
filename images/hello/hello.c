/* The smallest image: answers every request with a line of JSON. */
#include <string.h>

#include "../kernel/kernel.h"

void application_start(void) {}

void application_serve(void) {
    static const char head[] = "content-type\0application/json";
    static const char body[] = "{\"hello\":\"world\"}\n";
    const struct response response = {
        .status = 200,
        .head = head,
        .head_bytes = sizeof head,
        .body = body,
        .body_bytes = strlen(body),
    };
    respond(&response);
}
