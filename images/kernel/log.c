#include <string.h>

#include "platform.h"

enum { LOG_TEXT_LIMIT = 8192 };

void log_write(enum hatchery_log_level level, const char *text, size_t text_bytes) {
    struct hatchery_log_record record = {.level = level};
    record.text_bytes = (uint32_t)(text_bytes < LOG_TEXT_LIMIT ? text_bytes : LOG_TEXT_LIMIT);
    const uint32_t record_bytes = (uint32_t)sizeof record + record.text_bytes;
    uint32_t used = control()->log_bytes;
    if (used > HATCHERY_LOG_WINDOW_BYTES - record_bytes) {
        hypercall(HATCHERY_LOG);
        used = 0;
    }
    memcpy(channel(HATCHERY_LOG_OFFSET + used), &record, sizeof record);
    memcpy(channel(HATCHERY_LOG_OFFSET + used + sizeof record), text, record.text_bytes);
    control()->log_bytes = used + record_bytes;
}
