/*
 * The run-time half of wasm2c (wasm-rt.h) for a user's module. Accesses carry no bounds check. All that its
 * memory can grow to lies at the heap's very end: from there a 32-bit address with a 32-bit offset reaches
 * that and the 8 GiB behind it, which are not mapped. So an access behind all that the memory can grow to
 * traps, one behind what it has grown to finds memory that nobody else uses, and no address that a module
 * computes is one of the library OS's, whose pages (files, tables, function types) are below.
 */
#include <stdarg.h>
#include <string.h>

#include "../files/memory_pages.h"
#include "../kernel/kernel.h"
#include "module.h"

enum {
    PAGE_BYTES = 65536,
    PAGES_MAX = 65535, /* wasm_rt_memory_t counts bytes in 32 bits */
    LIBRARY_PART = 8   /* of the heap, this part is for files and tables at least */
};

static int memory_was_refused;
static uint8_t *reserved;
static uint32_t reserved_pages;
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

/* -- Tables -- */

enum { TABLE_ENTRIES_MAX = 10000000 /* as engines have it: WebAssembly JavaScript Interface */ };

/* Memory for a table. It is kept for the next table where this one has grown, or its module is made anew. */
struct table_block {
    struct table_block *next;
    size_t bytes;
    int is_used;
    _Alignas(16) unsigned char entries[];
};
static struct table_block *table_blocks;

static void tables_reset(void) {
    for (struct table_block *block = table_blocks; block != NULL; block = block->next) {
        block->is_used = 0;
    }
}

static void table_entries_give(void *entries) {
    for (struct table_block *block = table_blocks; block != NULL; block = block->next) {
        if (block->entries == entries) {
            block->is_used = 0;
        }
    }
}

static void *table_entries_take(uint32_t count, size_t entry_bytes) {
    const size_t bytes = count * entry_bytes;
    if (count > TABLE_ENTRIES_MAX) {
        return NULL;
    }
    for (struct table_block *block = table_blocks; block != NULL; block = block->next) {
        if (!block->is_used && block->bytes >= bytes) {
            block->is_used = 1;
            return memset(block->entries, 0, bytes);
        }
    }
    const size_t pages = (sizeof(struct table_block) + bytes + MEMORY_PAGE_BYTES - 1) / MEMORY_PAGE_BYTES;
    struct table_block *block = memory_take(pages * MEMORY_PAGE_BYTES);
    if (block == NULL) {
        memory_was_refused = 1;
        return NULL;
    }
    *block = (struct table_block){
        .next = table_blocks,
        .bytes = pages * MEMORY_PAGE_BYTES - sizeof(struct table_block),
        .is_used = 1,
    };
    table_blocks = block;
    return block->entries;
}

#define DEFINE_TABLE(type, entry)                                                                \
    void wasm_rt_allocate_##type##_table(wasm_rt_##type##_table_t *table, uint32_t elements,      \
                                         uint32_t max_elements) {                                \
        table->data = table_entries_take(elements, sizeof *table->data);                         \
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
        entry *entries = table_entries_take(before + delta, sizeof *entries);                    \
        if (entries == NULL) {                                                                   \
            return UINT32_MAX;                                                                   \
        }                                                                                        \
        memcpy(entries, table->data, before * sizeof *entries);                                  \
        for (uint32_t i = before; i < before + delta; i++) {                                     \
            entries[i] = init;                                                                   \
        }                                                                                        \
        table_entries_give(table->data);                                                         \
        table->data = entries;                                                                   \
        table->size = before + delta;                                                            \
        return before;                                                                           \
    }

DEFINE_TABLE(funcref, wasm_rt_funcref_t)
DEFINE_TABLE(externref, wasm_rt_externref_t)

/* -- Memory -- */

void run_time_begin(void) {
    const size_t room = (heap_bytes() - heap_bytes() / LIBRARY_PART) / PAGE_BYTES;
    const uint32_t wanted = module_memory_pages_max < PAGES_MAX ? module_memory_pages_max : PAGES_MAX;
    reserved_pages = room < wanted ? (uint32_t)room : wanted;
    reserved = memory_reserve((size_t)reserved_pages * PAGE_BYTES);
    if (reserved == NULL) {
        give_up_memory();
    }
}

void run_time_reset(void) {
    if (memory != NULL) {
        memset(memory->data, 0, memory->size);
    }
    memory = NULL;
    memory_was_refused = 0;
    tables_reset();
}

void wasm_rt_allocate_memory(wasm_rt_memory_t *made, uint32_t initial_pages, uint32_t max_pages) {
    (void)max_pages; /* run_time_begin knew it */
    if (memory != NULL) {
        give_up(HATCHERY_PANIC_ABORT, "a module may have one memory");
    }
    if (initial_pages > reserved_pages) {
        give_up_memory();
    }
    memory = made;
    made->data = reserved;
    made->pages = initial_pages;
    made->max_pages = reserved_pages;
    made->size = initial_pages * PAGE_BYTES;
}

uint32_t wasm_rt_grow_memory(wasm_rt_memory_t *grown, uint32_t pages) {
    const uint32_t before = grown->pages;
    if (pages > grown->max_pages - before) {
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

/* The translated code's assertions are about this file's own state; musl's report needs stdio. */
_Noreturn void __assert_fail(const char *expression, const char *file, int line,
                             const char *function) {
    (void)file, (void)line, (void)function;
    give_up(HATCHERY_PANIC_ABORT, expression);
}
