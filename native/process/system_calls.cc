#include "system_calls.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <vector>

namespace hatchery {
namespace {

/* Calls from here on are younger than this list. */
constexpr uint32_t kFirstUnknown = 452;
constexpr uint32_t kX32 = 0x40000000;

/* Nothing that serves requests makes these by mistake: who makes them has taken the process over.
 */
constexpr uint32_t kDeadly[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_kexec_file_load,
    SYS_reboot,
    SYS_bpf,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_swapon,
    SYS_swapoff,
    SYS_open_by_handle_at,
    SYS_iopl,
    SYS_ioperm,
};

constexpr uint32_t kRefused[] = {
    /* Other processes. */
    SYS_execveat,
    SYS_kcmp,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_process_madvise,
    SYS_process_mrelease,
    SYS_setns,
    SYS_unshare,
    SYS_setpgid,
    SYS_setsid,
    /* The file system's shape. */
    SYS_mount_setattr,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_name_to_handle_at,
    SYS_fanotify_init,
    SYS_fanotify_mark,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_mknod,
    SYS_mknodat,
    SYS_lookup_dcookie,
    SYS_nfsservctl,
    /* The kernel's less used corners. */
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_io_setup,
    SYS_io_submit,
    SYS_io_destroy,
    SYS_io_cancel,
    SYS_io_getevents,
    SYS_io_pgetevents,
    SYS_acct,
    SYS_syslog,
    SYS_vhangup,
    SYS_modify_ldt,
    SYS_personality,
    SYS_uselib,
    SYS_ustat,
    SYS_sysfs,
    SYS__sysctl,
    SYS_vmsplice,
    SYS_move_pages,
    SYS_migrate_pages,
    /* The clock and the machine's name. */
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_adjtimex,
    SYS_clock_adjtime,
    SYS_sethostname,
    SYS_setdomainname,
    /* Who this is. */
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
    /* Connections come from the supervisor. */
    SYS_listen,
};

constexpr uint32_t offset_of_argument(unsigned number) {
    return static_cast<uint32_t>(offsetof(struct seccomp_data, args) + number * sizeof(uint64_t));
}

constexpr uint32_t refuse_with(int error) {
    return SECCOMP_RET_ERRNO | static_cast<uint32_t>(error);
}

class Filter {
  public:
    /* Other instruction sets have other numbers, so that nothing below would hold for them. */
    void begin() {
        load(offsetof(struct seccomp_data, arch));
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
        give(SECCOMP_RET_KILL_PROCESS);
        load(offsetof(struct seccomp_data, nr));
        add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1));
        give(SECCOMP_RET_KILL_PROCESS);
    }

    void on(uint32_t call, uint32_t outcome) {
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
        give(outcome);
    }

    void from(uint32_t first, uint32_t outcome) {
        add(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 1));
        give(outcome);
    }

    /* Allows the call where the argument's lower half is one of `values`, refuses it else. */
    void only(uint32_t call, unsigned argument, std::initializer_list<uint32_t> values, int error) {
        const auto count = static_cast<uint8_t>(values.size());
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, static_cast<uint8_t>(count + 3)));
        load(offset_of_argument(argument));
        uint8_t left = count;
        for (const uint32_t value : values) {
            add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, left, 0));
            left--;
        }
        give(refuse_with(error));
        give(SECCOMP_RET_ALLOW);
    }

    /* Refuses the call where the argument's lower half is one of `values`, allows it else. */
    void except(uint32_t call, unsigned argument, std::initializer_list<uint32_t> values,
                int error) {
        const auto count = static_cast<uint8_t>(values.size());
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, static_cast<uint8_t>(count + 3)));
        load(offset_of_argument(argument));
        uint8_t left = count;
        for (const uint32_t value : values) {
            add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, left, 0));
            left--;
        }
        give(SECCOMP_RET_ALLOW);
        give(refuse_with(error));
    }

    /* Allows the call where all of `bits` are set in the argument. */
    void with_bits(uint32_t call, unsigned argument, uint32_t bits, int error) {
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4));
        load(offset_of_argument(argument));
        add(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 1, 0));
        give(refuse_with(error));
        give(SECCOMP_RET_ALLOW);
    }

    /* Refuses the call where any of `bits` is set in the argument. */
    void without_bits(uint32_t call, unsigned argument, uint32_t bits, int error) {
        add(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4));
        load(offset_of_argument(argument));
        add(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
        give(refuse_with(error));
        give(SECCOMP_RET_ALLOW);
    }

    void end() { give(SECCOMP_RET_ALLOW); }

    Status install() {
        const struct sock_fprog program = {static_cast<unsigned short>(code_.size()), code_.data()};
        const long stuck =
            syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
        if (stuck < 0) {
            return Failure::from_errno("seccomp");
        }
        /* The id of a thread that has a filter of its own. */
        return stuck > 0 ? Status(Failure{"seccomp", ESRCH}) : kSuccess;
    }

  private:
    void add(struct sock_filter instruction) { code_.push_back(instruction); }
    void load(size_t offset) {
        add(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)));
    }
    void give(uint32_t outcome) { add(BPF_STMT(BPF_RET | BPF_K, outcome)); }

    std::vector<struct sock_filter> code_;
};

}  // namespace

bool has_system_call_filters() {
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

namespace {

/* What both kinds of processes are refused. */
void refuse_common(Filter& filter) {
    filter.begin();
    for (const uint32_t call : kDeadly) {
        filter.on(call, SECCOMP_RET_KILL_PROCESS);
    }
    for (const uint32_t call : kRefused) {
        filter.on(call, refuse_with(EPERM));
    }
    /* As a kernel that has not got it: what tries it has another way. */
    for (const uint32_t call :
         {SYS_clone3, SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register}) {
        filter.on(static_cast<uint32_t>(call), refuse_with(ENOSYS));
    }
    filter.from(kFirstUnknown, refuse_with(ENOSYS));
    const auto self = static_cast<uint32_t>(getpid());
    filter.only(SYS_kill, 0, {self}, EPERM);
    filter.only(SYS_prlimit64, 0, {0, self}, EPERM);
}

}  // namespace

Status filter_system_calls() {
    Filter filter;
    refuse_common(filter);
    for (const uint32_t call : {SYS_execve, SYS_fork, SYS_vfork}) {
        filter.on(static_cast<uint32_t>(call), refuse_with(EPERM));
    }
    const auto self = static_cast<uint32_t>(getpid());
    filter.with_bits(SYS_clone, 0, CLONE_THREAD, EPERM);
    filter.only(SYS_tgkill, 0, {self}, EPERM);
    filter.only(SYS_socket, 0, {AF_UNIX, AF_INET, AF_INET6}, EAFNOSUPPORT);
    filter.except(SYS_prctl, 0,
                  {PR_SET_DUMPABLE, PR_SET_PDEATHSIG, PR_SET_PTRACER, PR_SET_MM, PR_SET_SECCOMP},
                  EPERM);
    filter.end();
    return filter.install();
}

Status filter_system_calls_of_builder() {
    Filter filter;
    refuse_common(filter);
    constexpr uint32_t kNamespaces = CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS |
                                     CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS;
    filter.without_bits(SYS_clone, 0, kNamespaces, EPERM);
    /* Go's way to interrupt its own threads; it does nothing to those who do not ask for it. */
    filter.only(SYS_tgkill, 2, {SIGURG}, EPERM);
    filter.on(SYS_socket, refuse_with(EAFNOSUPPORT));
    filter.except(SYS_prctl, 0, {PR_SET_PTRACER, PR_SET_MM, PR_SET_SECCOMP}, EPERM);
    filter.end();
    return filter.install();
}

}  // namespace hatchery
