#include "text.h"

#include <string.h>

static engine_pointer size_cell;

void text_start(void) {
    size_cell = engine_allocate(sizeof(uint32_t));
}

static uint32_t size_result(void) {
    uint32_t size;
    memcpy(&size, engine_memory(size_cell), sizeof size);
    return size;
}

static bool utf8_of_string(struct text *text, js_value value) {
    const engine_pointer string = JS(ToCStringLen2, size_cell, value, 0);
    if (string == 0) {
        return false;
    }
    *text = (struct text){engine_memory(string), size_result(), string};
    return true;
}

/*
 * Overwrites lone surrogates, which the engine gives as ED A0 80 to ED BF BF, by U+FFFD. The text
 * is not ASCII, so it is a copy of the engine's string and may be changed.
 */
static void replace_surrogates(struct text *text) {
    char *at = (char *)(uintptr_t)text->start;
    char *const end = at + text->bytes;
    while ((at = memchr(at, 0xED, (size_t)(end - at))) != NULL) {
        if ((unsigned char)at[1] >= 0xA0) {
            memcpy(at, "\xEF\xBF\xBD", 3);
        }
        at += 3;
    }
}

bool text_of_body(struct text *text, js_value value) {
    if (js_is_string(value)) {
        if (!utf8_of_string(text, value)) {
            return false;
        }
        replace_surrogates(text);
        return true;
    }
    if (js_is_undefined(value)) {
        *text = (struct text){NULL, 0, 0};
        return true;
    }
    const engine_pointer bytes = JS(GetUint8Array, size_cell, value);
    *text = (struct text){engine_memory(bytes), bytes == 0 ? 0 : size_result(), 0};
    return bytes != 0 || ENGINE(JS_HasException, context) == 0;
}

bool text_of_head(struct text *text, js_value value) {
    if (!utf8_of_string(text, value)) {
        return false;
    }
    char *to = (char *)(uintptr_t)text->start;
    const char *from = to;
    const char *const end = from + text->bytes;
    while (from < end && (unsigned char)*from < 0x80) {
        from++;
    }
    if (from == end) {
        return true; /* ASCII may be the engine's own string: it is not written */
    }
    to += from - text->start;
    while (from < end) {
        const unsigned char lead = (unsigned char)*from++;
        *to++ = lead < 0x80 ? (char)lead : (char)(lead << 6 | (*from++ & 0x3F));
    }
    text->bytes = (size_t)(to - text->start);
    return true;
}

void text_release(struct text *text) {
    if (text->string != 0) {
        JS(FreeCString, text->string);
    }
}

size_t utf8_mark_bytes(const char *bytes, size_t count) {
    return count >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}
