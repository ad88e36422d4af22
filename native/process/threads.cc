#include "threads.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <set>

/* What the kernel returns to after a signal handler; x86-64 has no default for it. */
extern "C" void hatchery_signal_return();
asm(".text\n"
    ".globl hatchery_signal_return\n"
    ".hidden hatchery_signal_return\n"
    ".type hatchery_signal_return, @function\n"
    "hatchery_signal_return:\n"
    "    mov $15, %eax\n" /* rt_sigreturn */
    "    syscall\n"
    ".size hatchery_signal_return, . - hatchery_signal_return\n");

namespace hatchery {
namespace {

/*
 * The C library keeps this signal to itself, to change the user of all threads, and lets no thread
 * block it. Node has a thread that blocks every other signal; so this one is borrowed for a moment,
 * past the C library, which would not give it.
 */
constexpr int kSignal = 33;
constexpr unsigned long kRestorer = 0x04000000;
constexpr long kPatienceNanoseconds = 2'000'000'000;
constexpr long kPauseNanoseconds = 100'000;

/* The kernel's struct sigaction. */
struct KernelAction {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    uint64_t mask;
};

std::atomic<int (*)()> current_job;
std::atomic<unsigned> done;
std::atomic<int> first_error;

void on_signal(int) {
    const int saved = errno;
    int none = 0;
    if (const int error = current_job.load()()) {
        first_error.compare_exchange_strong(none, error);
    }
    done.fetch_add(1);
    errno = saved;
}

int set_action(const KernelAction* next, KernelAction* before) {
    return static_cast<int>(
        syscall(SYS_rt_sigaction, kSignal, next, before, sizeof(KernelAction::mask)));
}

/* Puts the C library's handler back. */
class BorrowedSignal {
  public:
    bool borrow() {
        KernelAction ours = {on_signal, SA_RESTART | kRestorer, hatchery_signal_return, 0};
        borrowed_ = set_action(&ours, &before_) == 0;
        return borrowed_;
    }
    ~BorrowedSignal() {
        if (borrowed_) {
            set_action(&before_, nullptr);
        }
    }

  private:
    KernelAction before_ = {};
    bool borrowed_ = false;
};

/* Signals all threads that are not in `signalled`; how many these were. */
unsigned signal_new_threads(DIR* tasks, std::set<pid_t>& signalled) {
    unsigned count = 0;
    rewinddir(tasks);
    while (const struct dirent* entry = readdir(tasks)) {
        const pid_t thread = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
        if (thread > 0 && signalled.insert(thread).second &&
            syscall(SYS_tgkill, getpid(), thread, kSignal) == 0) {
            count++;
        }
    }
    return count;
}

}  // namespace

Status run_on_all_threads(const char* name, int (*job)()) {
    current_job.store(job);
    done.store(0);
    first_error.store(0);
    /* Opened once, for the job may take away the right to. */
    const std::unique_ptr<DIR, int (*)(DIR*)> tasks(opendir("/proc/self/task"), closedir);
    if (!tasks) {
        return Failure::from_errno("opendir(/proc/self/task)");
    }
    BorrowedSignal signal;
    if (!signal.borrow()) {
        return Failure::from_errno("rt_sigaction");
    }
    std::set<pid_t> signalled;
    unsigned expected = 0;
    long waited = 0;
    /* Once a pass finds none that is new, every thread descends from one that has done the job. */
    for (;;) {
        const unsigned found = signal_new_threads(tasks.get(), signalled);
        if (found == 0) {
            break;
        }
        expected += found;
        while (done.load() < expected) {
            if (waited >= kPatienceNanoseconds) {
                return Failure{name, ETIMEDOUT};
            }
            const struct timespec pause = {0, kPauseNanoseconds};
            nanosleep(&pause, nullptr);
            waited += kPauseNanoseconds;
        }
    }
    if (const int error = first_error.load()) {
        return Failure{name, error};
    }
    return kSuccess;
}

}  // namespace hatchery
