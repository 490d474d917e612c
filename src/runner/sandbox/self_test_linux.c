/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/self_test.h"

/* Each attempt returns 0 when the operation failed with the error the sandbox gives it. */

/* Only Landlock refuses this, because every user may list the root directory. */
static int list_root(void) {
    int descriptor = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (descriptor < 0)
        return errno != EACCES;
    (void)close(descriptor);
    return 1;
}

static int open_socket(void) {
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return errno != EPERM && errno != EAFNOSUPPORT;
    (void)close(descriptor);
    return 1;
}

static int signal_server(void) {
    return kill(getppid(), 0) == 0 || errno != EPERM;
}

static int fork_process(void) {
    long child = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    if (child == 0)
        _exit(0);
    return child > 0 || errno != EPERM;
}

static int run_program(void) {
    char *const arguments[] = {NULL};

    /* Without a sandbox, the empty path fails with ENOENT instead of EPERM. */
    return execve("", arguments, arguments) == 0 || errno != EPERM;
}

static const struct {
    const char *name;
    int (*succeeds)(void);
} attempts[] = {
    {"list /", list_root},
    {"open a Unix socket", open_socket},
    {"signal the server", signal_server},
    {"fork", fork_process},
    {"run a program", run_program},
};

static bool grants_root(const PathList *list) {
    for (size_t index = 0; index < list->count; index++) {
        /* "/", "//", "/." and the like. */
        if (list->paths[index][strspn(list->paths[index], "/.")] == '\0')
            return true;
    }
    return false;
}

bool self_test(const SandboxPolicy *policy, SandboxReport *report) {
    bool holds = true;
    bool root_granted = grants_root(&policy->read) || grants_root(&policy->write);

    for (size_t index = 0; index < sizeof attempts / sizeof *attempts; index++) {
        if (attempts[index].succeeds == list_root && root_granted)
            continue;
        if (attempts[index].succeeds())
            holds = sandbox_report_missing(report, "the self-test could %s", attempts[index].name);
    }
    if (holds)
        sandbox_report_state(report, "self_test", "ok");
    return holds;
}
