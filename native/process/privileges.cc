#include "privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "threads.h"

namespace hatchery {
namespace {

int drop_bounding_set() {
    for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
         capability++) {
        /* EPERM: without CAP_SETPCAP it stays, and PR_SET_NO_NEW_PRIVS makes it meaningless. */
        if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0 && errno != EPERM) {
            return errno;
        }
    }
    return 0;
}

int drop_capabilities() {
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
        return errno;
    }
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
    if (syscall(SYS_capset, &header, none) < 0) {
        return errno;
    }
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? errno : 0;
}

/* Lowers a limit; never raises it. */
Status limit(__rlimit_resource resource, unsigned long most, const char* name) {
    struct rlimit before = {};
    if (getrlimit(resource, &before) < 0) {
        return Failure::from_errno(name);
    }
    const struct rlimit next = {std::min(before.rlim_cur, most), std::min(before.rlim_max, most)};
    if (setrlimit(resource, &next) < 0) {
        return Failure::from_errno(name);
    }
    return kSuccess;
}

Status become(const User& user) {
    /* The C library makes all threads do these. */
    if (setgroups(0, nullptr) < 0) {
        return Failure::from_errno("setgroups");
    }
    if (setresgid(user.group, user.group, user.group) < 0) {
        return Failure::from_errno("setresgid");
    }
    if (setresuid(user.user, user.user, user.user) < 0) {
        return Failure::from_errno("setresuid");
    }
    return kSuccess;
}

/* After the change of user, which forgets both. */
Status tie_to_parent(pid_t parent) {
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) {
        return Failure::from_errno("prctl(PR_SET_DUMPABLE)");
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
        return Failure::from_errno("prctl(PR_SET_PDEATHSIG)");
    }
    if (getppid() != parent) {
        return Failure{"getppid", ECHILD};
    }
    return kSuccess;
}

}  // namespace

Status drop_privileges(const PrivilegePlan& plan) {
    if (Status failed = limit(RLIMIT_CORE, 0, "setrlimit(RLIMIT_CORE)")) {
        return failed;
    }
    if (Status failed = limit(RLIMIT_NOFILE, plan.open_files, "setrlimit(RLIMIT_NOFILE)")) {
        return failed;
    }
    if (plan.data_bytes > 0) {
        if (Status failed = limit(RLIMIT_DATA, plan.data_bytes, "setrlimit(RLIMIT_DATA)")) {
            return failed;
        }
    }
    if (plan.file_bytes > 0) {
        if (Status failed = limit(RLIMIT_FSIZE, plan.file_bytes, "setrlimit(RLIMIT_FSIZE)")) {
            return failed;
        }
    }
    if (plan.cpu_seconds > 0) {
        if (Status failed = limit(RLIMIT_CPU, plan.cpu_seconds, "setrlimit(RLIMIT_CPU)")) {
            return failed;
        }
    }
    if (Status failed = run_on_all_threads("prctl(PR_CAPBSET_DROP)", drop_bounding_set)) {
        return failed;
    }
    if (plan.user) {
        /* Counts all threads of the user, so it is only for a user who has no other ones. */
        if (Status failed = limit(RLIMIT_NPROC, plan.threads, "setrlimit(RLIMIT_NPROC)")) {
            return failed;
        }
        if (Status failed = become(*plan.user)) {
            return failed;
        }
    }
    if (Status failed = run_on_all_threads("capset", drop_capabilities)) {
        return failed;
    }
    return tie_to_parent(plan.parent);
}

}  // namespace hatchery
