/* Processes that have ended. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../../images/abi/hatchery.h"
#include "spawner.h"

static void ended(struct guest *guest, int status, const struct rusage *used) {
    guest->process = 0;
    abandon_forks(guest);
    const int session = guest->session.descriptor;
    if (guest->launcher.descriptor >= 0) {
        tell(session, SESSION_FAILED, start_error(status), 0, 0);
        unwatch(&guest->launcher);
    } else {
        const struct session_message message = {
            .kind = guest->forked ? SESSION_FORKED : SESSION_ENDED,
            .value = status,
            .id = guest->id,
            .faults = (uint64_t)used->ru_minflt,
            .pages = (uint64_t)used->ru_maxrss * 1024 / HATCHERY_PAGE_BYTES,
        };
        tell_all(session, message, 0);
    }
    if (guest->family != NULL) {
        member_ended(guest->family);
    }
    if (guest->released) {
        forget(guest);
    } else {
        leave_family(guest);
    }
}

void wait_for_children(int descriptor) {
    struct signalfd_siginfo ignored[16];
    (void)!read(descriptor, ignored, sizeof ignored);
    for (;;) {
        /* Looked at first: its group is known for as long as it is not waited for. */
        siginfo_t one = {0};
        if (waitid(P_ALL, 0, &one, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 || one.si_pid == 0) {
            return;
        }
        struct guest *guest = by_process(one.si_pid);
        if (guest == NULL) {
            ended_unknown(one.si_pid);
        }
        int status = 0;
        struct rusage used = {0};
        if (wait4(one.si_pid, &status, __WALL, &used) == one.si_pid && guest != NULL) {
            ended(guest, status, &used);
        }
    }
}
