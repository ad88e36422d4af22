/* Descriptors and what they name. The three standard ones are open from the start. */
#include <errno.h>
#include <fcntl.h>

#include "../files/files.h"
#include "posix.h"

enum { DESCRIPTORS = 256 };

static struct description descriptions[DESCRIPTORS] = {
    {.kind = DESCRIPTION_INPUT, .descriptors = 1, .flags = O_RDONLY},
    {.kind = DESCRIPTION_OUTPUT, .descriptors = 1, .flags = O_WRONLY},
    {.kind = DESCRIPTION_ERROR, .descriptors = 1, .flags = O_WRONLY},
};
static struct description *named[DESCRIPTORS] = {descriptions, descriptions + 1, descriptions + 2};
static unsigned char closes_on_exec[DESCRIPTORS];

struct description *description_of(int descriptor) {
    return descriptor >= 0 && descriptor < DESCRIPTORS ? named[descriptor] : NULL;
}

/* The lowest that is free from `lowest` on, or -1. */
static int free_descriptor(int lowest) {
    for (int i = lowest; i < DESCRIPTORS; i++) {
        if (named[i] == NULL) {
            return i;
        }
    }
    return -1;
}

static void name(int descriptor, struct description *description, int flags) {
    named[descriptor] = description;
    closes_on_exec[descriptor] = (flags & O_CLOEXEC) != 0;
    description->descriptors++;
}

long description_open(enum description_kind kind, int flags, struct file *file) {
    const int descriptor = free_descriptor(0);
    if (descriptor < 0) {
        return -EMFILE;
    }
    /* There are as many as descriptors. */
    struct description *description = descriptions;
    while (description->kind != DESCRIPTION_FREE) {
        description++;
    }
    *description = (struct description){
        .kind = kind, .flags = flags & (O_ACCMODE | O_APPEND | O_NONBLOCK), .file = file};
    if (file != NULL) {
        files_open(file);
    }
    name(descriptor, description, flags);
    return descriptor;
}

long descriptor_close(int descriptor) {
    struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    named[descriptor] = NULL;
    if (--description->descriptors == 0) {
        if (description->file != NULL) {
            files_close(description->file);
        }
        description->kind = DESCRIPTION_FREE;
    }
    return 0;
}

long descriptor_duplicate(int descriptor, int lowest) {
    struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    if (lowest < 0 || lowest >= DESCRIPTORS) {
        return -EINVAL;
    }
    const int duplicate = free_descriptor(lowest);
    if (duplicate < 0) {
        return -EMFILE;
    }
    name(duplicate, description, 0);
    return duplicate;
}

long descriptor_duplicate_to(int descriptor, int to, int flags, int same_is_fine) {
    struct description *description = description_of(descriptor);
    if (description == NULL || to < 0 || to >= DESCRIPTORS) {
        return -EBADF;
    }
    if (descriptor == to) {
        return same_is_fine ? to : -EINVAL;
    }
    if (named[to] != NULL) {
        descriptor_close(to);
    }
    name(to, description, flags);
    return to;
}

long descriptor_control(int descriptor, int command, long argument) {
    struct description *description = description_of(descriptor);
    if (description == NULL) {
        return -EBADF;
    }
    switch (command) {
        case F_DUPFD: return descriptor_duplicate(descriptor, (int)argument);
        case F_DUPFD_CLOEXEC: {
            const long duplicate = descriptor_duplicate(descriptor, (int)argument);
            if (duplicate >= 0) {
                closes_on_exec[duplicate] = 1;
            }
            return duplicate;
        }
        case F_GETFD: return closes_on_exec[descriptor] ? FD_CLOEXEC : 0;
        case F_SETFD: closes_on_exec[descriptor] = (argument & FD_CLOEXEC) != 0; return 0;
        case F_GETFL: return description->flags;
        case F_SETFL:
            description->flags = (description->flags & O_ACCMODE) |
                                 ((int)argument & (O_APPEND | O_NONBLOCK));
            return 0;
        /* Locks: there is nobody else. */
        case F_SETLK:
        case F_SETLKW: return 0;
        case F_GETLK: ((struct flock *)argument)->l_type = F_UNLCK; return 0;
        default: return -EINVAL;
    }
}
