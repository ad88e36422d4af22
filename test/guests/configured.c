/*
 * Starts unconfigured, and answers with what its start found: the item `name`, random bytes of before
 * and after the configuration, and the time. Makes the hypercall once more at the wrong moment: in its
 * start where there is an item `again`, while it serves where the request has a body.
 */
#include "kernel.h"
#include "hypercall.h"

IMAGE_STARTS_UNCONFIGURED;

static struct {
    char name[200];
    unsigned char random_before[16];
    unsigned char random_after[16];
    uint64_t started;
} facts;

void application_start(void) {
    random_fill(facts.random_before, sizeof facts.random_before);
    start_unconfigured();
    random_fill(facts.random_after, sizeof facts.random_after);
    facts.started = clock_wall();
    size_t bytes;
    const char *name = configuration_find("name", &bytes);
    if (name != NULL && bytes < sizeof facts.name) {
        __builtin_memcpy(facts.name, name, bytes);
    }
    if (configuration_find("again", &bytes) != NULL) {
        hypercall(HATCHERY_UNCONFIGURED);
    }
}

void application_serve(void) {
    unsigned char order;
    if (request_body_read(&order, 1) == 1) {
        hypercall(HATCHERY_UNCONFIGURED);
    }
    respond(&(struct response){.status = 200, .body = &facts, .body_bytes = sizeof facts});
}
