/* The little JSON that is not libxl's to write. */
#ifndef HATCHERY_LIBXL_JSON_H
#define HATCHERY_LIBXL_JSON_H

#include <cstdio>
#include <string>

#include "libxl_api.h"

namespace hatchery {

inline std::string json_string(const std::string& text) {
    std::string quoted = "\"";
    for (const char character : text) {
        if (character == '"' || character == '\\') {
            quoted += '\\';
            quoted += character;
        } else if (static_cast<unsigned char>(character) < 0x20) {
            char escaped[8];
            snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(character));
            quoted += escaped;
        } else {
            quoted += character;
        }
    }
    return quoted + "\"";
}

inline std::string uuid_text(const libxl_uuid& uuid) {
    char text[40];
    snprintf(text, sizeof text, LIBXL_UUID_FMT, LIBXL_UUID_BYTES(uuid));
    return text;
}

/* An array of what `describe` makes of each; empty where it fails for one. */
template <typename Item, typename Describe>
std::string json_array(Item* items, int count, Describe describe) {
    std::string text = "[";
    for (int i = 0; i < count; i++) {
        const std::string item = describe(&items[i]);
        if (item.empty()) {
            return "";
        }
        text += (i == 0 ? "" : ",") + item;
    }
    return text + "]";
}

}  // namespace hatchery

#endif
