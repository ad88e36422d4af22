/*
 * The module `hatchery`: requests and responses for modules that export `hatchery_handle`. docs/wasm.md
 * is its specification.
 */
#ifndef HATCHERY_WASM_RESPONDING_H
#define HATCHERY_WASM_RESPONDING_H

void responding_begin(void);

/* The handler has returned: completes the response. Without one the instance ends. */
void responding_end(void);

#endif
