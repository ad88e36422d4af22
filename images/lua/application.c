/*
 * Lua functions. At start it runs the script: the configuration item `script`, or `module`, as a
 * function's code is called in any image, or else the file /app.lua of the image. It calls what the
 * script returned, or its global function `handle`, for each request.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "values.h"

static lua_State *lua;
static int handler, seed_random;

static int on_panic(lua_State *state) {
    const char *message = lua_tostring(state, -1);
    message = message == NULL ? "an error that is no string" : message;
    panic(HATCHERY_PANIC_ABORT, message, strlen(message));
}

static _Noreturn void panic_memory(void) {
    static const char text[] = "out of memory";
    panic(HATCHERY_PANIC_MEMORY, text, sizeof text - 1);
}

static _Noreturn void panic_startup(const char *message) {
    const struct bytes report = error_report(message);
    panic(HATCHERY_PANIC_STARTUP, report.start, report.count);
}

/* A message handler: adds where the error came from. */
static int add_traceback(lua_State *state) {
    const char *message = luaL_tolstring(state, 1, NULL);
    luaL_traceback(state, state, message, 1);
    return 1;
}

/* Calls the function below so many arguments; gives one value in their place, or the message. */
static int call(int arguments) {
    const int below = lua_gettop(lua) - arguments;
    lua_pushcfunction(lua, add_traceback);
    lua_insert(lua, below);
    const int status = lua_pcall(lua, arguments, 1, below);
    lua_remove(lua, below);
    if (status == LUA_ERRMEM) {
        panic_memory();
    }
    return status;
}

static const char *error_text(void) {
    const char *text = lua_tostring(lua, -1);
    return text == NULL ? "an error that cannot be reported" : text;
}

static int load_script(void) {
    size_t bytes;
    const char *script = configuration_find("script", &bytes);
    script = script == NULL ? configuration_find("module", &bytes) : script;
    if (script != NULL) {
        /* Text only: Lua does not check compiled chunks, which can do anything. */
        return luaL_loadbufferx(lua, script, bytes, "@app.lua", "t");
    }
    FILE *file = fopen("/app.lua", "r");
    if (file == NULL) {
        panic_startup("there is no script: neither a configuration item `script` nor a file /app.lua");
    }
    fclose(file);
    return luaL_loadfilex(lua, "/app.lua", "t");
}

static void find_handler(void) {
    if (!lua_isfunction(lua, -1)) {
        lua_pop(lua, 1);
        lua_getglobal(lua, "handle");
    }
    if (!lua_isfunction(lua, -1)) {
        panic_startup("the script neither returns a function nor defines a function `handle`");
    }
    handler = luaL_ref(lua, LUA_REGISTRYINDEX);
}

void application_start(void) {
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    lua = luaL_newstate();
    if (lua == NULL) {
        panic_memory();
    }
    lua_atpanic(lua, on_panic);
    luaL_openlibs(lua);
    lua_getglobal(lua, "math");
    lua_getfield(lua, -1, "randomseed");
    seed_random = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_pop(lua, 1);
    const int status = load_script();
    if (status == LUA_ERRMEM) {
        panic_memory();
    }
    if (status != LUA_OK || call(0) != LUA_OK) {
        panic_startup(error_text());
    }
    find_handler();
    lua_gc(lua, LUA_GCCOLLECT);
}

/* Instances of one snapshot are not to draw the same numbers. */
static int serve(lua_State *state) {
    lua_Integer seed[2];
    random_fill(seed, sizeof seed);
    lua_rawgeti(state, LUA_REGISTRYINDEX, seed_random);
    lua_pushinteger(state, seed[0]);
    lua_pushinteger(state, seed[1]);
    lua_call(state, 2, 0);
    lua_rawgeti(state, LUA_REGISTRYINDEX, handler);
    push_request(state);
    lua_call(state, 1, 1);
    fflush(stdout);
    respond_with(state);
    return 0;
}

void application_serve(void) {
    lua_settop(lua, 0);
    lua_pushcfunction(lua, serve);
    if (call(0) == LUA_OK) {
        return;
    }
    fflush(stdout);
    const struct bytes report = error_report(error_text());
    const struct response response = {
        .status = 500,
        .flags = HATCHERY_RESPONSE_ERROR,
        .head = "",
        .body = report.start,
        .body_bytes = report.count,
    };
    respond(&response);
}
