#include <string.h>

#include "platform.h"

const char *configuration_find(const char *name, size_t *value_bytes) {
    const char *item = (const char *)HATCHERY_BOOT_ADDRESS + HATCHERY_PAGE_BYTES;
    const char *end = item + boot_page()->configuration_bytes;
    const size_t wanted_bytes = strlen(name);
    while (item < end) {
        struct hatchery_item sizes;
        memcpy(&sizes, item, sizeof sizes);
        const char *item_name = item + sizeof sizes;
        const char *value = item_name + sizes.name_bytes + 1;
        if (sizes.name_bytes == wanted_bytes && memcmp(item_name, name, wanted_bytes) == 0) {
            *value_bytes = sizes.value_bytes;
            return value;
        }
        const size_t used = sizeof sizes + sizes.name_bytes + 1 + (size_t)sizes.value_bytes + 1;
        item += (used + 7) & ~(size_t)7;
    }
    return NULL;
}

size_t heap_bytes(void) {
    return boot_page()->heap_bytes;
}
