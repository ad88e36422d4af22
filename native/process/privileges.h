/* The user, the capabilities and the resource limits of this process. */
#ifndef HATCHERY_PROCESS_PRIVILEGES_H
#define HATCHERY_PROCESS_PRIVILEGES_H

#include <sys/types.h>

#include <optional>

#include "../machine/result.h"

namespace hatchery {

struct User {
    uid_t user;
    gid_t group;
};

struct PrivilegePlan {
    /* Whom to become; only root can. */
    std::optional<User> user;
    /* The process that started this one: when it ends, so does this one. */
    pid_t parent;
    unsigned long open_files;
    unsigned long threads;
    /* Memory that this process, and each program that it starts, may write to; 0: no limit. */
    unsigned long data_bytes;
    /* Processor time of each, after which it is killed; 0: no limit. */
    unsigned long cpu_seconds;
    /* Size of each file that is written, at which the writer is killed; 0: no limit. */
    unsigned long file_bytes;
};

/*
 * Gives up, on every thread and for ever: all capabilities (bounding, ambient, inheritable,
 * permitted, effective), all groups, and the user where one is given; forbids core files, traces by
 * processes of the same user, and gaining anything by running a program.
 * Fails with ECHILD where the parent has ended already.
 */
Status drop_privileges(const PrivilegePlan& plan);

}  // namespace hatchery

#endif
