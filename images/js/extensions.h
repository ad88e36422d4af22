/*
 * The extensions of quickjs-wasi in use: ada's URL parser, mbedtls's digests and HMAC, the text
 * codecs. Each is a WebAssembly side module (DynamicLinking.md of WebAssembly's tool-conventions)
 * that shares the engine's memory and function table.
 */
#ifndef HATCHERY_JS_EXTENSIONS_H
#define HATCHERY_JS_EXTENSIONS_H

/* Links and starts all of them; each adds its classes to the global object. */
void extensions_load(void);

#endif
