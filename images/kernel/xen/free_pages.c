/* The domain's memory that nothing is in: a few ranges, taken from the lowest page on. */
#include "boot.h"

enum {
    RANGES_MAX = 32
};

static struct { uint64_t first, count; } ranges[RANGES_MAX];
static size_t range_count;

void free_pages_add(uint64_t first, uint64_t count) {
    if (count == 0) {
        return;
    }
    if (range_count == RANGES_MAX) {
        return; /* memory in more pieces than that is left alone */
    }
    size_t at = range_count++;
    for (; at > 0 && ranges[at - 1].first > first; at--) {
        ranges[at] = ranges[at - 1];
    }
    ranges[at].first = first;
    ranges[at].count = count;
}

static void forget(size_t at) {
    range_count--;
    for (; at < range_count; at++) {
        ranges[at] = ranges[at + 1];
    }
}

void free_pages_remove(uint64_t first, uint64_t count) {
    const uint64_t end = first + count;
    for (size_t i = 0; i < range_count;) {
        const uint64_t range_end = ranges[i].first + ranges[i].count;
        if (ranges[i].first >= end || range_end <= first) {
            i++;
        } else if (ranges[i].first < first) {
            ranges[i].count = first - ranges[i].first;
            i++;
            if (range_end > end) {
                free_pages_add(end, range_end - end);
            }
        } else if (range_end > end) {
            ranges[i].first = end;
            ranges[i].count = range_end - end;
            i++;
        } else {
            forget(i);
        }
    }
}

uint64_t free_pages_take(uint64_t count) {
    for (size_t i = 0; i < range_count; i++) {
        if (ranges[i].count >= count) {
            const uint64_t first = ranges[i].first;
            ranges[i].first += count;
            ranges[i].count -= count;
            if (ranges[i].count == 0) {
                forget(i);
            }
            return first;
        }
    }
    give_up("the domain's memory is too small for the image: raise `memory`");
}

uint64_t free_pages_left(void) {
    uint64_t left = 0;
    for (size_t i = 0; i < range_count; i++) {
        left += ranges[i].count;
    }
    return left;
}
