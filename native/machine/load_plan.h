/* What an image becomes in a guest's memory: planned in src/drivers/layout.ts, checked here. */
#ifndef HATCHERY_MACHINE_LOAD_PLAN_H
#define HATCHERY_MACHINE_LOAD_PLAN_H

#include <cstdint>
#include <span>
#include <vector>

#include "page_tables.h"

namespace hatchery {

/* Bytes that a region has from the start; inside the region. */
struct Content {
    uint64_t physical_address;
    std::span<const uint8_t> bytes;
};

/* A range of guest physical memory. */
struct Extent {
    uint64_t start;
    uint64_t end;

    bool holds(uint64_t address, uint64_t count) const {
        return address >= start && address <= end && count <= end - address;
    }
    bool holds(std::span<const Content> contents) const;
};

/* A region of guest physical memory: its size, what is mapped of it, and what is in it. */
struct RegionPlan {
    uint64_t bytes = 0;
    std::vector<Placement> placements; /* physical addresses count from the region's start */
    std::vector<Content> contents;     /* the same */
};

struct LoadPlan {
    uint64_t entry = 0;
    /* A machine's own. Its first pages are the driver's, of which the plan says nothing. */
    RegionPlan memory;
    /* Read-only, and the same pages for all machines; may be empty. */
    RegionPlan shared;
    /* Where the channel is in the machine's own memory; a page's boundary. */
    uint64_t channel = 0;
};

/*
 * Whether a plan can be carried out without a write or a mapping where none belongs. JavaScript
 * made it, from an image that anybody may have built; a mistake there must not become one here.
 * `reserved_bytes`: what is the driver's at the start of the machine's own memory.
 */
bool is_sound(const LoadPlan& plan, uint64_t reserved_bytes);

}  // namespace hatchery

#endif
