/*
 * Pages of memory for the library OS itself, taken from the top of the heap downwards: what is below
 * `pages_floor` is the application's.
 */
#ifndef HATCHERY_FILES_MEMORY_PAGES_H
#define HATCHERY_FILES_MEMORY_PAGES_H

#include <stddef.h>
#include <stdint.h>

enum { MEMORY_PAGE_BYTES = 4096 };

/*
 * Takes `bytes` bytes (a multiple of MEMORY_PAGE_BYTES) at the end of the heap, before anything else is taken:
 * what is taken later lies below, and what is above is the caller's, zeroed. NULL where the heap is smaller.
 */
void *memory_reserve(size_t bytes);

/* A zeroed page; NULL where that would reach what the application has claimed. */
void *memory_page_take(void);

/* Consecutive zeroed memory of at least `bytes` bytes that is never given back; NULL as above. */
void *memory_take(size_t bytes);

/* Gives a page back that memory_page_take gave. */
void memory_page_give(void *page);

/*
 * Claims the heap from its start up to `end` for the application; returns 0, and changes nothing, where
 * pages that are in use are there.
 */
int memory_claim(uintptr_t end);

#endif
