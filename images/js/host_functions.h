/* The functions that the prelude calls; prelude/host.ts is their other side. */
#ifndef HATCHERY_JS_HOST_FUNCTIONS_H
#define HATCHERY_JS_HOST_FUNCTIONS_H

#include "engine.h"

/* Adds them to `host` and replaces Math.random, which must not run on a state out of a snapshot. */
void host_functions_define(js_value host);

/* Called at the beginning of each request. */
void host_functions_reset(void);

/* Whether this request's response was begun, and whether it was completed. */
bool response_was_begun(void);
bool response_was_completed(void);

/* Whether it said that work goes on after it (HATCHERY_RESPONSE_BACKGROUND). */
bool response_goes_on(void);

#endif
