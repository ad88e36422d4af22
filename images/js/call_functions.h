/* The functions by which the prelude makes host calls and waits; prelude/host.ts is their other
 * side. */
#ifndef HATCHERY_JS_CALL_FUNCTIONS_H
#define HATCHERY_JS_CALL_FUNCTIONS_H

#include "engine.h"

/* Must be called once: adds them to `host`. */
void call_functions_define(js_value host);

#endif
