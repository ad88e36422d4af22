/*
 * The calls of WASI that the library OS does not have. They are there, so that modules which never make
 * them can be built, and say so when they are made. docs/wasi.md lists them.
 */
#include "wasi.h"

WASI(path_link, u32 a, u32 b, u32 c, u32 d, u32 e, u32 f, u32 g) {
    (void)unused, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g;
    return WASI_NOSYS;
}

WASI(path_symlink, u32 a, u32 b, u32 c, u32 d, u32 e) {
    (void)unused, (void)a, (void)b, (void)c, (void)d, (void)e;
    return WASI_NOSYS;
}

WASI(proc_raise, u32 signal) {
    (void)unused, (void)signal;
    return WASI_NOSYS;
}
