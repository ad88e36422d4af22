/* The request as a table: method, url, path, query, headers, body. */
#include <lauxlib.h>
#include <string.h>

#include "values.h"

enum { BODY_PART_BYTES = 65536 };

static const char *next_string(const char *string) {
    return string + strlen(string) + 1;
}

/* Sets fields of the table at the top: the path of an absolute URL and, behind `?`, the query. */
static void set_url(lua_State *lua, const char *url) {
    const char *authority = strstr(url, "://");
    const char *start = authority == NULL ? url : authority + 3;
    const char *path = start + strcspn(start, "/?#");
    const size_t path_bytes = strcspn(path, "?#");
    const char *query = path + path_bytes;
    query += *query == '?';
    lua_pushstring(lua, url);
    lua_setfield(lua, -2, "url");
    lua_pushlstring(lua, path_bytes == 0 ? "/" : path, path_bytes == 0 ? 1 : path_bytes);
    lua_setfield(lua, -2, "path");
    lua_pushlstring(lua, query, strcspn(query, "#"));
    lua_setfield(lua, -2, "query");
}

/* Values of headers with one name are joined (RFC 9110, section 5.3); those of cookies by `; `. */
static void push_headers(lua_State *lua, const char *at, const char *end) {
    lua_newtable(lua);
    while (at < end) {
        const char *name = at, *value = next_string(name);
        at = next_string(value);
        if (lua_getfield(lua, -1, name) == LUA_TNIL) {
            lua_pop(lua, 1);
            lua_pushstring(lua, value);
        } else {
            lua_pushstring(lua, strcmp(name, "cookie") == 0 ? "; " : ", ");
            lua_pushstring(lua, value);
            lua_concat(lua, 3);
        }
        lua_setfield(lua, -2, name);
    }
}

static void push_body(lua_State *lua) {
    luaL_Buffer body;
    luaL_buffinit(lua, &body);
    for (;;) {
        char *part = luaL_prepbuffsize(&body, BODY_PART_BYTES);
        const size_t count = request_body_read(part, BODY_PART_BYTES);
        if (count == 0) {
            break;
        }
        luaL_addsize(&body, count);
    }
    luaL_pushresult(&body);
}

void push_request(lua_State *lua) {
    size_t head_bytes;
    const char *method = request_head(&head_bytes);
    const char *end = method + head_bytes;
    const char *url = next_string(method);
    lua_createtable(lua, 0, 6);
    lua_pushstring(lua, method);
    lua_setfield(lua, -2, "method");
    set_url(lua, url);
    push_headers(lua, next_string(url), end);
    lua_setfield(lua, -2, "headers");
    /* Last: reading overwrites the head. */
    push_body(lua);
    lua_setfield(lua, -2, "body");
}
