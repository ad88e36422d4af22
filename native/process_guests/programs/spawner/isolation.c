/* What the spawner gives up before it makes guests. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawner.h"

enum { NOBODY = 65534 };

static int write_file(const char *path, const char *text) {
    const int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) {
        return -1;
    }
    const ssize_t wrote = write(file, text, strlen(text));
    close(file);
    return wrote < 0 ? -1 : 0;
}

/* An empty root that cannot be written, in place of the host's file system. */
static int leave_files(void) {
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=4k,nr_inodes=2") < 0 ||
        chdir("/tmp") < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
        chdir("/") < 0) {
        return -1;
    }
    return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

void give_up(void) {
    if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
                           setresuid(NOBODY, NOBODY, NOBODY) < 0)) {
        exit(125);
    }
    const unsigned user = getuid(), group = getgid();
    prctl(PR_SET_DUMPABLE, 1);
    if (unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
                CLONE_NEWUTS) == 0) {
        char map[32];
        snprintf(map, sizeof map, "0 %u 1", user);
        if (write_file("/proc/self/setgroups", "deny") < 0 || write_file("/proc/self/uid_map", map) < 0) {
            exit(124);
        }
        snprintf(map, sizeof map, "0 %u 1", group);
        if (write_file("/proc/self/gid_map", map) < 0) {
            exit(124);
        }
        (void)!leave_files();
        const pid_t first = fork();
        if (first < 0) {
            exit(123);
        }
        if (first > 0) {
            /* Only the first process of the name space goes on, and all others end with it. */
            close(SPAWNER_HOST);
            close(SPAWNER_LIFELINE);
            close(spawner.launcher_file);
            close(spawner.processes);
            int status;
            while (waitpid(first, &status, 0) < 0 && errno == EINTR) {
            }
            exit(0);
        }
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    }
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
