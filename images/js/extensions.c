#include "extensions.h"

#include <string.h>

#include "../kernel/kernel.h"
#include "crypto.h" /* these three made by wasm2c */
#include "encoding.h"
#include "engine.h"
#include "extension_sizes.h" /* made by build.sh from the modules' dylink.0 sections */
#include "url.h"
#include "wasm_runtime.h"

static Z_url_instance_t url;
static Z_encoding_instance_t encoding;
static Z_crypto_instance_t crypto;

/* What a side module imports as constants. wasm2c keeps pointers to them, so each has its own. */
struct placement {
    u32 memory_base;
    u32 table_base;
};
static struct placement *current;

u32 *Z_envZ___memory_base(Z_env_instance_t *unused) {
    (void)unused;
    return &current->memory_base;
}

u32 *Z_envZ___table_base(Z_env_instance_t *unused) {
    (void)unused;
    return &current->table_base;
}

/*
 * The global offset table: addresses of functions and data that C code in a side module takes.
 * Functions that nothing defines (deterministic ECDSA, pure virtual calls) stay null: calling one
 * traps.
 */
static u32 null_entry;
static u32 memset_entry;
static u32 errno_entry;

u32 *Z_GOTZ2EfuncZ___cxa_pure_virtual(struct Z_GOTZ2Efunc_instance_t *unused) {
    (void)unused;
    return &null_entry;
}

u32 *Z_GOTZ2EfuncZ_mbedtls_hmac_drbg_random(struct Z_GOTZ2Efunc_instance_t *unused) {
    (void)unused;
    return &null_entry;
}

u32 *Z_GOTZ2EfuncZ_memset(struct Z_GOTZ2Efunc_instance_t *unused) {
    (void)unused;
    return &memset_entry;
}

u32 *Z_GOTZ2EmemZ_errno(struct Z_GOTZ2Emem_instance_t *unused) {
    (void)unused;
    return &errno_entry;
}

/* Imported by the crypto module for deterministic ECDSA, which the engine's package leaves out. */
static _Noreturn void missing_in_package(void) {
    static const char text[] = "the crypto extension has no HMAC_DRBG";
    panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
}

void Z_envZ_mbedtls_hmac_drbg_init(Z_env_instance_t *unused, u32 state) {
    (void)unused, (void)state;
    missing_in_package();
}

void Z_envZ_mbedtls_hmac_drbg_free(Z_env_instance_t *unused, u32 state) {
    (void)unused, (void)state;
    missing_in_package();
}

u32 Z_envZ_mbedtls_hmac_drbg_seed_buf(Z_env_instance_t *unused, u32 state, u32 digest, u32 seed,
                                      u32 seed_bytes) {
    (void)unused, (void)state, (void)digest, (void)seed, (void)seed_bytes;
    missing_in_package();
}

static u32 memset_by_address(void *unused, u32 to, u32 byte, u32 count) {
    (void)unused;
    memset(engine_memory(to), (int)byte, count);
    return to;
}

static void place(struct placement *placement, u32 memory_bytes, u32 table_entries) {
    placement->memory_base = engine_allocate(memory_bytes);
    memset(engine_memory(placement->memory_base), 0, memory_bytes);
    placement->table_base = table_reserve(&engine.w2c___indirect_function_table, table_entries);
    current = placement;
}

static void expect_success(u32 result) {
    if (result != 0) {
        static const char text[] = "an extension of the JavaScript engine did not start";
        panic(HATCHERY_PANIC_ABORT, text, sizeof text - 1);
    }
}

void extensions_load(void) {
    const u32 memset_type =
        wasm_rt_register_func_type(3, 1, WASM_RT_I32, WASM_RT_I32, WASM_RT_I32, WASM_RT_I32);
    memset_entry = engine_table_add(memset_type, (wasm_rt_function_ptr_t)memset_by_address);
    errno_entry = engine_allocate(sizeof(int32_t));

    static struct placement url_placement;
    place(&url_placement, URL_MEMORY_BYTES, URL_TABLE_ENTRIES);
    Z_url_init_module();
    Z_url_instantiate(&url, NULL, NULL, &engine);
    Z_urlZ___wasm_apply_data_relocs(&url);
    expect_success(Z_urlZ_qjs_ext_url_init(&url, context, runtime));

    static struct placement encoding_placement;
    place(&encoding_placement, ENCODING_MEMORY_BYTES, ENCODING_TABLE_ENTRIES);
    Z_encoding_init_module();
    Z_encoding_instantiate(&encoding, &engine);
    Z_encodingZ___wasm_apply_data_relocs(&encoding);
    expect_success(Z_encodingZ_qjs_ext_encoding_init(&encoding, context, runtime));

    static struct placement crypto_placement;
    place(&crypto_placement, CRYPTO_MEMORY_BYTES, CRYPTO_TABLE_ENTRIES);
    Z_crypto_init_module();
    Z_crypto_instantiate(&crypto, NULL, &engine, NULL);
    Z_cryptoZ___wasm_apply_data_relocs(&crypto);
    expect_success(Z_cryptoZ_qjs_ext_crypto_init(&crypto, context, runtime));
}
