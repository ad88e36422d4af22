/* The functions that give the prelude the request; prelude/host.ts is their other side. */
#ifndef HATCHERY_JS_REQUEST_FUNCTIONS_H
#define HATCHERY_JS_REQUEST_FUNCTIONS_H

#include "engine.h"

/* Adds them to `host`. */
void request_functions_define(js_value host);

/* Called at the beginning of each request. */
void request_functions_reset(void);

/* Takes what is still unread of the request out of the request window, which is about to be
 * overwritten. Does nothing when it is called again. */
void request_functions_save(void);

#endif
