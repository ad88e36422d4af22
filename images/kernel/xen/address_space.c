/* The lower half of the address space: page tables of 4 KiB pages, in pages set aside for them. */
#include "boot.h"

enum {
    ENTRIES = 512
};

#define TABLE_FLAGS (PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER)

static uint64_t level_3;
static uint64_t first_table, next_table, end_of_tables;

static uint64_t new_table(void) {
    if (next_table == end_of_tables) {
        give_up("the page tables are larger than was thought");
    }
    fill_zero(platform->open(next_table), HATCHERY_PAGE_BYTES);
    return next_table++;
}

void address_space_begin(uint64_t table_pages) {
    /* One more is for the platform's top level. */
    first_table = free_pages_take(table_pages + 1);
    next_table = first_table;
    end_of_tables = first_table + table_pages;
    level_3 = new_table();
}

/* The table that the entry leads to, made if there is none. */
static uint64_t next_level(uint64_t table, uint64_t index) {
    const uint64_t entry = ((const uint64_t *)platform->open(table))[index];
    if (entry & PAGE_PRESENT) {
        return platform->page_of((entry & PAGE_FRAME_MASK) / HATCHERY_PAGE_BYTES);
    }
    const uint64_t made = new_table();
    ((uint64_t *)platform->open(table))[index] =
        platform->frame_of(made) * HATCHERY_PAGE_BYTES | TABLE_FLAGS;
    return made;
}

static uint64_t level_1_of(uint64_t address) {
    return next_level(next_level(level_3, address >> 30 & (ENTRIES - 1)),
                      address >> 21 & (ENTRIES - 1));
}

/* How many pages from `address` on, up to `count`, one table of level 1 holds. */
static uint64_t part_of_table(uint64_t address, uint64_t count) {
    const uint64_t room = ENTRIES - (address / HATCHERY_PAGE_BYTES & (ENTRIES - 1));
    return count < room ? count : room;
}

void address_space_map(uint64_t address, uint64_t first_page, uint64_t count, uint64_t flags) {
    while (count > 0) {
        const uint64_t part = part_of_table(address, count);
        uint64_t *entry = (uint64_t *)platform->open(level_1_of(address)) +
                          (address / HATCHERY_PAGE_BYTES & (ENTRIES - 1));
        for (uint64_t i = 0; i < part; i++) {
            entry[i] = platform->frame_of(first_page + i) * HATCHERY_PAGE_BYTES | flags;
        }
        address += part * HATCHERY_PAGE_BYTES;
        first_page += part;
        count -= part;
    }
}

void address_space_map_free(uint64_t address, uint64_t count, uint64_t flags) {
    while (count > 0) {
        const uint64_t part = part_of_table(address, count);
        uint64_t *entry = (uint64_t *)platform->open(level_1_of(address)) +
                          (address / HATCHERY_PAGE_BYTES & (ENTRIES - 1));
        for (uint64_t i = 0; i < part; i++) {
            entry[i] = platform->frame_of(free_pages_take(1)) * HATCHERY_PAGE_BYTES | flags;
        }
        address += part * HATCHERY_PAGE_BYTES;
        count -= part;
    }
}

void address_space_install(void) {
    platform->install(level_3, first_table, next_table);
}
