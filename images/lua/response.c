/* What a handler returned as a response: a string, or a table with status, headers and body. */
#include <lauxlib.h>
#include <string.h>

#include "values.h"

static char head[RESPONSE_HEAD_CAPACITY];
static size_t head_bytes;

static int is_token(const char *name, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        const char c = name[i];
        const int is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return 0;
        }
    }
    return bytes > 0;
}

static int is_value(const char *value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        const unsigned char c = (unsigned char)value[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return 0;
        }
    }
    return 1;
}

static void append(lua_State *lua, const char *text, size_t bytes) {
    if (bytes >= sizeof head - head_bytes) {
        luaL_error(lua, "the response's headers are too large");
    }
    memcpy(head + head_bytes, text, bytes);
    head_bytes += bytes;
    head[head_bytes++] = 0;
}

/* The value of the header is at the top of the stack. */
static void add_header(lua_State *lua, const char *name, size_t name_bytes) {
    size_t bytes;
    if (lua_type(lua, -1) != LUA_TSTRING && lua_type(lua, -1) != LUA_TNUMBER) {
        luaL_error(lua, "the response's header %s is a %s, no string", name, luaL_typename(lua, -1));
    }
    lua_pushvalue(lua, -1);
    const char *value = lua_tolstring(lua, -1, &bytes);
    if (!is_value(value, bytes)) {
        luaL_error(lua, "the response's header %s has a character that no header may have", name);
    }
    append(lua, name, name_bytes);
    append(lua, value, bytes);
    lua_pop(lua, 1);
}

/* A table of values is a header for each. */
static void add_headers(lua_State *lua, const char *name, size_t name_bytes) {
    if (!lua_istable(lua, -1)) {
        add_header(lua, name, name_bytes);
        return;
    }
    const lua_Integer count = luaL_len(lua, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(lua, -1, i);
        add_header(lua, name, name_bytes);
        lua_pop(lua, 1);
    }
}

/* `headers` is at the top of the stack. */
static void lay_headers(lua_State *lua) {
    if (lua_isnil(lua, -1)) {
        return;
    }
    if (!lua_istable(lua, -1)) {
        luaL_error(lua, "the response's headers are a %s, no table", luaL_typename(lua, -1));
    }
    lua_pushnil(lua);
    while (lua_next(lua, -2) != 0) {
        size_t bytes;
        const char *name = lua_type(lua, -2) == LUA_TSTRING ? lua_tolstring(lua, -2, &bytes) : NULL;
        if (name == NULL || !is_token(name, bytes)) {
            luaL_error(lua, "a name of the response's headers is none");
        }
        add_headers(lua, name, bytes);
        lua_pop(lua, 1);
    }
}

static uint32_t status_of(lua_State *lua, int table) {
    if (lua_getfield(lua, table, "status") == LUA_TNIL) {
        lua_pop(lua, 1);
        return 200;
    }
    int is_integer;
    const lua_Integer status = lua_tointegerx(lua, -1, &is_integer);
    if (!is_integer || status < 200 || status > 599) {
        luaL_error(lua, "the response's status is no integer from 200 to 599");
    }
    lua_pop(lua, 1);
    return (uint32_t)status;
}

void respond_with(lua_State *lua) {
    struct response response = {.status = 200};
    head_bytes = 0;
    if (lua_istable(lua, -1)) {
        const int table = lua_gettop(lua);
        response.status = status_of(lua, table);
        lua_getfield(lua, table, "headers");
        lay_headers(lua);
        lua_getfield(lua, table, "body");
    } else if (lua_type(lua, -1) == LUA_TSTRING) {
        append(lua, "content-type", 12);
        append(lua, "text/plain; charset=utf-8", 25);
    } else {
        luaL_error(lua, "the handler returned a %s, no table and no string", luaL_typename(lua, -1));
    }
    if (!lua_isnil(lua, -1) && !lua_isstring(lua, -1)) {
        luaL_error(lua, "the response's body is a %s, no string", luaL_typename(lua, -1));
    }
    response.body = lua_isnil(lua, -1) ? "" : lua_tolstring(lua, -1, &response.body_bytes);
    response.head = head;
    response.head_bytes = head_bytes;
    respond(&response);
}
