/* An error as the host wants it: JSON. */
#include <string.h>

#include "values.h"

enum { REPORT_BYTES = 16384, WORST_ESCAPE_BYTES = 6 };

static char report[REPORT_BYTES];
static size_t report_bytes;

static void append(const char *text, size_t bytes) {
    memcpy(report + report_bytes, text, bytes);
    report_bytes += bytes;
}

static void append_literal(const char *text) {
    append(text, strlen(text));
}

/* As far as there is room for it up to `limit`. What is above ASCII passes as it is. */
static void append_escaped(const char *text, size_t bytes, size_t limit) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes && report_bytes + WORST_ESCAPE_BYTES < limit; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\') {
            append("\\", 1);
            append(text + i, 1);
        } else if (c < 0x20) {
            const char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
            append(escape, sizeof escape);
        } else {
            append(text + i, 1);
        }
    }
}

struct bytes error_report(const char *message) {
    const char *trace = strstr(message, "\nstack traceback:\n");
    const size_t message_bytes = trace == NULL ? strlen(message) : (size_t)(trace - message);
    report_bytes = 0;
    append_literal("{\"name\":\"Error\",\"message\":\"");
    append_escaped(message, message_bytes, REPORT_BYTES / 2);
    append_literal("\",\"stack\":\"");
    if (trace != NULL) {
        const char *frames = trace + strlen("\nstack traceback:\n");
        append_escaped(frames, strlen(frames), REPORT_BYTES - 8);
    }
    append_literal("\"}");
    return (struct bytes){report, report_bytes};
}
