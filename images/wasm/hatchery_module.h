/*
 * For WebAssembly modules in C that export hatchery_handle: what they import from the module "hatchery".
 * docs/wasm.md of the project is the specification. To be compiled with clang.
 */
#ifndef HATCHERY_MODULE_H
#define HATCHERY_MODULE_H

#include <stddef.h>
#include <stdint.h>

#define HATCHERY_IMPORT(name) __attribute__((import_module("hatchery"), import_name(#name)))

/* To be defined by the module; runs for each request and begins one response. */
__attribute__((export_name("hatchery_handle"))) void hatchery_handle(void);

/* Every call gives -1, and does nothing, where an address with its length is not in the memory. */

/*
 * Copies as much of the request's head as fits: method, absolute URL, then name and value of each header
 * in turn, each with a NUL behind it. Returns the bytes of the whole head.
 */
HATCHERY_IMPORT(request_head) int32_t hatchery_request_head(char *buffer, size_t capacity);

/* Copies up to `capacity` next bytes of the request's body; returns how many, 0 at its end. */
HATCHERY_IMPORT(request_body_read)
int32_t hatchery_request_body_read(void *buffer, size_t capacity);

/*
 * Begins the response: a status of 200 to 599, and its headers as in a request's head, at most 128 KiB.
 * Returns 0; -1 a second time.
 */
HATCHERY_IMPORT(response_begin)
int32_t hatchery_response_begin(uint32_t status, const char *head, size_t head_bytes);

/* Appends to the response's body; -1 before response_begin. The end of hatchery_handle is its end. */
HATCHERY_IMPORT(response_write) int32_t hatchery_response_write(const void *bytes, size_t count);

/* Sends what was written to the client, and what is written from now on at once. */
HATCHERY_IMPORT(response_flush) int32_t hatchery_response_flush(void);

/* A line of the log; -1 for another level. */
enum hatchery_level {
    HATCHERY_DEBUG = 20,
    HATCHERY_INFO = 30,
    HATCHERY_WARN = 40,
    HATCHERY_ERROR = 50
};
HATCHERY_IMPORT(log)
int32_t hatchery_log(enum hatchery_level level, const char *text, size_t bytes);

#endif
