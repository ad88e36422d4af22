/* What the kernel knows of a TCP connection: how much of what came was read, and what was sent. */
#ifndef HATCHERY_PROCESS_CONNECTION_H
#define HATCHERY_PROCESS_CONNECTION_H

#include <cstdint>

#include "../machine/result.h"

namespace hatchery {

struct ConnectionBytes {
    uint64_t received; /* of the peer, read or not */
    uint64_t unread;   /* of those, in the socket's buffer */
    uint64_t written;  /* by whoever holds the socket, whether the peer has them or not */
};

/* `written` may count the handshake as one; compare it with what it was when nothing was written.
 */
Result<ConnectionBytes> connection_bytes(int descriptor);

}  // namespace hatchery

#endif
