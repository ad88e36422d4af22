#include "connection.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>

namespace hatchery {

Result<ConnectionBytes> connection_bytes(int descriptor) {
    struct tcp_info info = {};
    socklen_t size = sizeof info;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) {
        return Failure::from_errno("getsockopt(TCP_INFO)");
    }
    if (size < offsetof(struct tcp_info, tcpi_segs_out)) {
        return Failure{"getsockopt(TCP_INFO)", ENOTSUP};
    }
    int unread = 0;
    if (ioctl(descriptor, SIOCINQ, &unread) < 0) {
        return Failure::from_errno("ioctl(SIOCINQ)");
    }
    int unacknowledged = 0;
    if (ioctl(descriptor, SIOCOUTQ, &unacknowledged) < 0) {
        return Failure::from_errno("ioctl(SIOCOUTQ)");
    }
    return ConnectionBytes{
        info.tcpi_bytes_received,
        static_cast<uint64_t>(unread),
        info.tcpi_bytes_acked + static_cast<uint64_t>(unacknowledged),
    };
}

}  // namespace hatchery
