/* WASI's calls about sockets. No descriptor is one, which is what they say. */
#include "descriptors.h"

static u32 refuse(u32 number) {
    struct descriptor *descriptor;
    const u32 error = descriptor_get(number, 0, &descriptor);
    return error != WASI_SUCCESS ? error : (u32)WASI_NOTSOCK;
}

WASI(sock_accept, u32 number, u32 flags, u32 result) {
    (void)unused, (void)flags, (void)result;
    return refuse(number);
}

WASI(sock_recv, u32 number, u32 vectors, u32 count, u32 flags, u32 bytes, u32 result_flags) {
    (void)unused, (void)vectors, (void)count, (void)flags, (void)bytes, (void)result_flags;
    return refuse(number);
}

WASI(sock_send, u32 number, u32 vectors, u32 count, u32 flags, u32 result) {
    (void)unused, (void)vectors, (void)count, (void)flags, (void)result;
    return refuse(number);
}

WASI(sock_shutdown, u32 number, u32 how) {
    (void)unused, (void)how;
    return refuse(number);
}
