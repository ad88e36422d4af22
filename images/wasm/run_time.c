/*
 * The run-time half of wasm2c (wasm-rt.h) for a user's module. Its memory lies at the heap's start.
 * Accesses carry no bounds check: a 32-bit address with a 32-bit offset reaches no further than the 8 GiB
 * behind the heap that are not mapped. So an access behind the module's memory traps where it is behind the
 * heap; what is between is the instance's own memory, or the library OS's pages for files and tables.
 */
#include <stdarg.h>
#include <string.h>

#include "../files/memory_pages.h"
#include "../kernel/kernel.h"
#include "module.h"

enum { PAGE_BYTES = 65536, PAGES_MAX = 65535 /* wasm_rt_memory_t counts bytes in 32 bits */ };

static int memory_was_refused;
static wasm_rt_memory_t *memory;

static _Noreturn void give_up(enum hatchery_panic_reason reason, const char *text) {
    panic(reason, text, strlen(text));
}

static _Noreturn void give_up_memory(void) {
    give_up(HATCHERY_PANIC_MEMORY, "the instance's memory is too small for the module");
}

bool wasm_rt_is_initialized(void) {
    return true;
}

void wasm_rt_trap(wasm_rt_trap_t trap) {
    /* Who asked for memory in vain mostly ends like this. */
    const enum hatchery_panic_reason reason =
        memory_was_refused && trap == WASM_RT_TRAP_UNREACHABLE ? HATCHERY_PANIC_MEMORY
                                                               : HATCHERY_PANIC_ABORT;
    switch (trap) {
        case WASM_RT_TRAP_OOB: give_up(reason, "the module trapped: out of bounds");
        case WASM_RT_TRAP_INT_OVERFLOW: give_up(reason, "the module trapped: integer overflow");
        case WASM_RT_TRAP_DIV_BY_ZERO: give_up(reason, "the module trapped: integer divide by zero");
        case WASM_RT_TRAP_INVALID_CONVERSION:
            give_up(reason, "the module trapped: invalid conversion to integer");
        case WASM_RT_TRAP_UNREACHABLE: give_up(reason, "the module trapped: unreachable");
        case WASM_RT_TRAP_CALL_INDIRECT: give_up(reason, "the module trapped: indirect call");
        default: give_up(reason, "the module trapped");
    }
}

/* -- Function types -- */

struct function_type {
    struct function_type *next;
    uint32_t index, parameters, results;
    uint8_t signature[];
};
static struct function_type *function_types;

static struct function_type *find_type(uint32_t parameters, uint32_t results, const uint8_t *signature) {
    for (struct function_type *type = function_types; type != NULL; type = type->next) {
        if (type->parameters == parameters && type->results == results &&
            memcmp(type->signature, signature, parameters + results) == 0) {
            return type;
        }
    }
    return NULL;
}

uint32_t wasm_rt_register_func_type(uint32_t parameters, uint32_t results, ...) {
    enum { VALUES_MAX = 2048 }; /* twice what engines allow */
    static uint8_t signature[VALUES_MAX];
    static unsigned char *room;
    static size_t room_bytes;
    if (parameters > VALUES_MAX / 2 || results > VALUES_MAX / 2) {
        give_up(HATCHERY_PANIC_ABORT, "a function of the module has too many parameters");
    }
    va_list types;
    va_start(types, results);
    for (uint32_t i = 0; i < parameters + results; i++) {
        signature[i] = (uint8_t)va_arg(types, wasm_rt_type_t);
    }
    va_end(types);
    struct function_type *type = find_type(parameters, results, signature);
    if (type != NULL) {
        return type->index;
    }
    const size_t bytes = (sizeof *type + parameters + results + 15) & ~(size_t)15;
    if (bytes > room_bytes) {
        room_bytes = MEMORY_PAGE_BYTES;
        room = memory_take(room_bytes);
        if (room == NULL) {
            give_up_memory();
        }
    }
    type = (struct function_type *)room;
    room += bytes;
    room_bytes -= bytes;
    *type = (struct function_type){
        .next = function_types,
        .index = function_types == NULL ? 1 : function_types->index + 1,
        .parameters = parameters,
        .results = results,
    };
    memcpy(type->signature, signature, parameters + results);
    function_types = type;
    return type->index;
}

/* -- Memory -- */

void run_time_reset(void) {
    if (memory != NULL) {
        memset(memory->data, 0, memory->size);
    }
    memory = NULL;
    memory_was_refused = 0;
}

static int claim_pages(uint32_t pages) {
    if (pages <= PAGES_MAX &&
        memory_claim(HATCHERY_HEAP_ADDRESS + (uintptr_t)pages * PAGE_BYTES)) {
        return 1;
    }
    memory_was_refused = 1;
    return 0;
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *made, uint32_t initial_pages, uint32_t max_pages) {
    if (memory != NULL) {
        give_up(HATCHERY_PANIC_ABORT, "a module may have one memory");
    }
    if (!claim_pages(initial_pages)) {
        give_up_memory();
    }
    memory = made;
    made->data = (uint8_t *)HATCHERY_HEAP_ADDRESS;
    made->pages = initial_pages;
    made->max_pages = max_pages < PAGES_MAX ? max_pages : PAGES_MAX;
    made->size = initial_pages * PAGE_BYTES;
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *grown, uint32_t pages) {
    const uint32_t before = grown->pages;
    if (pages > grown->max_pages - before || !claim_pages(before + pages)) {
        memory_was_refused = 1;
        return UINT32_MAX;
    }
    grown->pages = before + pages;
    grown->size = grown->pages * PAGE_BYTES;
    return before;
}

void wasm_rt_free_memory(wasm_rt_memory_t *freed) {
    (void)freed;
}

void *module_bytes(u32 address, u32 bytes) {
    const wasm_rt_memory_t *of_module = module_memory();
    return bytes > of_module->size || address > of_module->size - bytes ? NULL
                                                                        : of_module->data + address;
}

/* -- Tables: a table that grows leaves its old entries behind, which is seldom and little. -- */

enum { TABLE_ENTRIES_MAX = 10000000 /* as engines have it: WebAssembly JavaScript Interface */ };

static void *table_entries(uint32_t count, size_t entry_bytes) {
    void *entries = count > TABLE_ENTRIES_MAX ? NULL : memory_take(count * entry_bytes + 1);
    memory_was_refused |= entries == NULL;
    return entries;
}

#define DEFINE_TABLE(type, entry)                                                                \
    void wasm_rt_allocate_##type##_table(wasm_rt_##type##_table_t *table, uint32_t elements,      \
                                         uint32_t max_elements) {                                \
        table->data = table_entries(elements, sizeof *table->data);                              \
        if (table->data == NULL) {                                                               \
            give_up_memory();                                                                    \
        }                                                                                        \
        table->size = elements;                                                                  \
        table->max_size = max_elements < TABLE_ENTRIES_MAX ? max_elements : TABLE_ENTRIES_MAX;    \
    }                                                                                            \
    void wasm_rt_free_##type##_table(wasm_rt_##type##_table_t *table) {                          \
        (void)table;                                                                             \
    }                                                                                            \
    uint32_t wasm_rt_grow_##type##_table(wasm_rt_##type##_table_t *table, uint32_t delta,        \
                                         entry init) {                                           \
        const uint32_t before = table->size;                                                     \
        if (delta > table->max_size - before) {                                                  \
            return UINT32_MAX;                                                                   \
        }                                                                                        \
        entry *entries = table_entries(before + delta, sizeof *entries);                         \
        if (entries == NULL) {                                                                   \
            return UINT32_MAX;                                                                   \
        }                                                                                        \
        memcpy(entries, table->data, before * sizeof *entries);                                  \
        for (uint32_t i = before; i < before + delta; i++) {                                     \
            entries[i] = init;                                                                   \
        }                                                                                        \
        table->data = entries;                                                                   \
        table->size = before + delta;                                                            \
        return before;                                                                           \
    }

DEFINE_TABLE(funcref, wasm_rt_funcref_t)
DEFINE_TABLE(externref, wasm_rt_externref_t)

/* The translated code's assertions are about this file's own state; musl's report needs stdio. */
_Noreturn void __assert_fail(const char *expression, const char *file, int line,
                             const char *function) {
    (void)file, (void)line, (void)function;
    give_up(HATCHERY_PANIC_ABORT, expression);
}
