#include "memory_pages.h"

#include <string.h>

#include "../kernel/kernel.h"

/* A page that is free holds the address of the next one. */
static void *free_pages;
static uintptr_t floor_address;
static uintptr_t claimed;

static uintptr_t floor_of_pages(void) {
    if (floor_address == 0) {
        floor_address = (HATCHERY_HEAP_ADDRESS + heap_bytes()) & ~(uintptr_t)(MEMORY_PAGE_BYTES - 1);
        claimed = HATCHERY_HEAP_ADDRESS;
    }
    return floor_address;
}

void *memory_reserve(size_t bytes) {
    const uintptr_t floor = floor_of_pages();
    if (bytes > floor - claimed) {
        return NULL;
    }
    floor_address = floor - bytes;
    return (void *)floor_address;
}

void *memory_take(size_t bytes) {
    const uintptr_t floor = floor_of_pages();
    if (bytes > floor - claimed) {
        return NULL;
    }
    const uintptr_t start = (floor - bytes) & ~(uintptr_t)(MEMORY_PAGE_BYTES - 1);
    if (start < claimed) {
        return NULL;
    }
    floor_address = start;
    /* An application that wrote beyond what it claimed may have been here. */
    return memset((void *)start, 0, floor - start);
}

void *memory_page_take(void) {
    void *page = free_pages;
    if (page == NULL) {
        return memory_take(MEMORY_PAGE_BYTES);
    }
    memcpy(&free_pages, page, sizeof free_pages);
    return memset(page, 0, MEMORY_PAGE_BYTES);
}

void memory_page_give(void *page) {
    memcpy(page, &free_pages, sizeof free_pages);
    free_pages = page;
}

int memory_claim(uintptr_t end) {
    if (end > floor_of_pages()) {
        return 0;
    }
    claimed = end;
    return 1;
}
