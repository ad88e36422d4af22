/*
 * Signals: a guest has no other process and no interrupts, so a program can only raise one itself. Its
 * handler is called then and there, whatever the mask says: musl's raise blocks all of them around it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "posix.h"

enum { SIGNALS = 64 };

/* struct kernel_sigaction of musl's arch/x86_64/ksigaction.h, which is Linux's. */
struct action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

static struct action actions[SIGNALS + 1];

long signal_set_action(int signal, const void *action, void *old_action, size_t mask_bytes) {
    if (signal < 1 || signal > SIGNALS || mask_bytes != sizeof(uint64_t)) {
        return -EINVAL;
    }
    if (action != NULL && (signal == SIGKILL || signal == SIGSTOP)) {
        return -EINVAL;
    }
    const struct action before = actions[signal];
    if (action != NULL) {
        memcpy(&actions[signal], action, sizeof actions[signal]);
    }
    if (old_action != NULL) {
        memcpy(old_action, &before, sizeof before);
    }
    return 0;
}

static int is_ignored_by_default(int signal) {
    return signal == SIGCHLD || signal == SIGURG || signal == SIGWINCH || signal == SIGCONT;
}

long signal_raise(int signal) {
    if (signal < 0 || signal > SIGNALS) {
        return -EINVAL;
    }
    if (signal == 0) {
        return 0;
    }
    const struct action action = actions[signal];
    if ((void *)action.handler == (void *)SIG_DFL) {
        if (!is_ignored_by_default(signal)) {
            posix_panic("the program raised signal ", signal);
        }
    } else if ((void *)action.handler != (void *)SIG_IGN) {
        if ((action.flags & SA_RESETHAND) != 0) {
            actions[signal].handler = NULL;
        }
        siginfo_t information = {.si_signo = signal};
        action.handler(signal, &information, NULL);
    }
    return 0;
}
