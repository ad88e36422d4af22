/* Calls of guests that wait for an answer (seccomp_unotify(2)). */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "spawner.h"

/* Newer than Debian's headers (linux/seccomp.h). */
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS _IOW('!', 4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1ul << 0)
#endif

void adopt_listener(struct family *family, int listener) {
    /* Whoever answers the other waits for it next: better on the same processor. Kernels from 6.6 on. */
    (void)!ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    if (watch(&family->listener, FROM_LISTENER, listener, family) < 0) {
        close(listener);
    }
}

int next_question(int listener, union question *question) {
    memset(question, 0, sizeof *question);
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, question) == 0;
}

int answer(int listener, uint64_t notification, int goes_on) {
    union {
        struct seccomp_notif_resp response;
        char room[1024]; /* the kernel may know more fields than this program does */
    } words;
    memset(&words, 0, sizeof words);
    words.response.id = notification;
    if (goes_on) {
        words.response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    } else {
        words.response.error = -EPERM;
    }
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &words) == 0;
}

int add_descriptor(int listener, uint64_t notification, int source, unsigned number) {
    const struct seccomp_notif_addfd add = {
        .id = notification,
        .flags = SECCOMP_ADDFD_FLAG_SETFD,
        .srcfd = (unsigned)source,
        .newfd = number,
    };
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
}
