/* What passes between the request, the response and Lua's stack. */
#ifndef HATCHERY_LUA_VALUES_H
#define HATCHERY_LUA_VALUES_H

#include <hatchery/kernel/kernel.h>
#include <lua.h>

/* Pushes the table that a handler is called with. */
void push_request(lua_State *lua);

/* Makes the value at the top of the stack the response; raises a Lua error where it is none. */
void respond_with(lua_State *lua);

/*
 * The error report {"name","message","stack"} for an error message with a traceback behind it; valid
 * until the next call.
 */
struct bytes error_report(const char *message);

#endif
