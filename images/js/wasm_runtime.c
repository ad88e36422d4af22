/*
 * The run-time half of wasm2c (wasm-rt.h), for one guest: one linear memory, which is the heap, and
 * one function table. Accesses carry no bounds check: behind the heap 8 GiB are not mapped, which a
 * 32-bit address with a 32-bit offset cannot jump over.
 */
#include "wasm_runtime.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "../kernel/kernel.h"

enum {
    WASM_PAGE_BYTES = 65536,
    WASM_PAGES_MAX = 65535, /* wasm_rt_memory_t counts bytes in 32 bits */
    TABLE_CAPACITY = 2048,
    TYPE_CAPACITY = 512,
    SIGNATURE_CAPACITY = 24
};

bool memory_was_refused;

static wasm_rt_funcref_t table_slots[TABLE_CAPACITY];

struct function_type {
    uint32_t parameters;
    uint32_t results;
    uint8_t signature[SIGNATURE_CAPACITY];
};
static struct function_type function_types[TYPE_CAPACITY];
static uint32_t function_type_count;

static _Noreturn void give_up(const char *text) {
    panic(memory_was_refused ? HATCHERY_PANIC_MEMORY : HATCHERY_PANIC_ABORT, text, strlen(text));
}

bool wasm_rt_is_initialized(void) {
    return true;
}

void wasm_rt_trap(wasm_rt_trap_t trap) {
    switch (trap) {
        case WASM_RT_TRAP_OOB: give_up("the engine trapped: out of bounds");
        case WASM_RT_TRAP_INT_OVERFLOW: give_up("the engine trapped: integer overflow");
        case WASM_RT_TRAP_DIV_BY_ZERO: give_up("the engine trapped: division by zero");
        case WASM_RT_TRAP_INVALID_CONVERSION: give_up("the engine trapped: invalid conversion");
        case WASM_RT_TRAP_UNREACHABLE: give_up("the engine trapped: unreachable");
        case WASM_RT_TRAP_CALL_INDIRECT: give_up("the engine trapped: invalid indirect call");
        default: give_up("the engine trapped");
    }
}

uint32_t wasm_rt_register_func_type(uint32_t parameters, uint32_t results, ...) {
    if (parameters + results > SIGNATURE_CAPACITY || function_type_count == TYPE_CAPACITY) {
        give_up("no room for another WebAssembly function type");
    }
    struct function_type wanted = {.parameters = parameters, .results = results};
    va_list types;
    va_start(types, results);
    for (uint32_t i = 0; i < parameters + results; i++) {
        wanted.signature[i] = (uint8_t)va_arg(types, wasm_rt_type_t);
    }
    va_end(types);
    for (uint32_t i = 0; i < function_type_count; i++) {
        if (memcmp(&function_types[i], &wanted, sizeof wanted) == 0) {
            return i + 1;
        }
    }
    function_types[function_type_count++] = wanted;
    return function_type_count;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint32_t initial_pages, uint32_t max_pages) {
    size_t limit = heap_bytes() / WASM_PAGE_BYTES;
    limit = limit < WASM_PAGES_MAX ? limit : WASM_PAGES_MAX;
    limit = limit < max_pages ? limit : max_pages;
    if (initial_pages > limit) {
        memory_was_refused = true;
        give_up("the instance's memory is too small for the JavaScript engine");
    }
    memory->data = (uint8_t *)HATCHERY_HEAP_ADDRESS;
    memory->pages = initial_pages;
    memory->max_pages = (uint32_t)limit;
    memory->size = initial_pages * WASM_PAGE_BYTES;
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *memory, uint32_t pages) {
    const uint32_t before = memory->pages;
    if (pages > memory->max_pages - before) {
        memory_was_refused = true;
        return UINT32_MAX;
    }
    memory->pages = before + pages;
    memory->size = memory->pages * WASM_PAGE_BYTES;
    return before;
}

void wasm_rt_free_memory(wasm_rt_memory_t *memory) {
    (void)memory;
}

void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t *table, uint32_t elements,
                                    uint32_t max_elements) {
    (void)max_elements;
    if (elements > TABLE_CAPACITY) {
        give_up("no room in the WebAssembly function table");
    }
    table->data = table_slots;
    table->size = elements;
    table->max_size = TABLE_CAPACITY;
}

void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t *table) {
    (void)table;
}

/* The translated code's assertions are about this file's own state; musl's report needs stdio. */
_Noreturn void __assert_fail(const char *expression, const char *file, int line,
                             const char *function) {
    (void)file, (void)line, (void)function;
    give_up(expression);
}

uint32_t table_reserve(wasm_rt_funcref_table_t *table, uint32_t count) {
    const uint32_t first = table->size;
    if (count > table->max_size - first) {
        give_up("no room in the WebAssembly function table");
    }
    table->size = first + count;
    return first;
}
