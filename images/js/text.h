/* Bytes of JavaScript values for C. */
#ifndef HATCHERY_JS_TEXT_H
#define HATCHERY_JS_TEXT_H

#include "engine.h"

struct text {
    const char *start; /* in the engine's memory */
    size_t bytes;
    engine_pointer string; /* what text_release gives back; 0 for none */
};

/* Must be called once, before the others. */
void text_start(void);

/*
 * A response body: the UTF-8 of a string (lone surrogates become U+FFFD), the bytes of a
 * Uint8Array, or nothing for undefined. Valid while the value lives and until text_release. Returns
 * false with an exception pending for any other value and when there is no memory.
 */
bool text_of_body(struct text *text, js_value value);

/* A response head: the string's code units, all below 256, as bytes. As text_of_body otherwise. */
bool text_of_head(struct text *text, js_value value);

void text_release(struct text *text);

/* 3 if the bytes begin with a UTF-8 byte order mark, else 0. */
size_t utf8_mark_bytes(const char *bytes, size_t count);

#endif
