/*
 * The time limit of start-up code: `startupMilliseconds` of the configuration item "limits". The
 * engine looks at the clock now and then; when the time is over, the trace of an error that is made
 * then and there says where the code was. (While a request is served the host's deadline is
 * enough.)
 */
#ifndef HATCHERY_JS_START_LIMIT_H
#define HATCHERY_JS_START_LIMIT_H

#include "engine.h"

/*
 * `give_up` gets an InternalError "interrupted" when the time is over; it MUST NOT return, because
 * the code that was interrupted could go on otherwise, or hide that it was.
 */
void start_limit_begin(void (*give_up)(js_value error));
void start_limit_end(void);

#endif
