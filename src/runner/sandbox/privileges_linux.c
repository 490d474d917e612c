/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/parent_death.h"
#include "sandbox/privileges.h"
#include "protocol.h"

enum { CALL_CLOSE_RANGE = 436, FIRST_INHERITED = LIBRARY_DESCRIPTOR + 1 };

bool privileges_close_descriptors(const SandboxPolicy *policy, SandboxReport *report) {
    struct rlimit limit;

    (void)policy;
    (void)close(SHARED_DESCRIPTOR);
    if (syscall(CALL_CLOSE_RANGE, FIRST_INHERITED, ~0U, 0) != 0) {
        /* Kernels before 5.9 have no close_range(). */
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
            return sandbox_report_missing(report, "inherited descriptors cannot be listed");
        for (int descriptor = FIRST_INHERITED; (rlim_t)descriptor < limit.rlim_cur; descriptor++)
            (void)close(descriptor);
    }
    sandbox_report_state(report, "descriptors", "closed");
    return true;
}

static bool become(uid_t user, SandboxReport *report) {
    long parent = (long)getppid();

    if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 ||
        setresuid(user, user, user) != 0)
        return sandbox_report_missing(report, "root cannot become user %u: %s", (unsigned)user,
                                      strerror(errno));
    /* The kernel clears the parent-death signal when credentials change. */
    if (!parent_death_arm(parent))
        _Exit(RUNNER_EXIT_ORPHANED);
    return true;
}

bool privileges_drop_capabilities(SandboxReport *report) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};

    if (syscall(SYS_capset, &header, none) != 0)
        return sandbox_report_missing(report, "capabilities cannot be dropped: %s",
                                      strerror(errno));
    return true;
}

bool privileges_drop(const SandboxPolicy *policy, SandboxReport *report) {
    if ((getuid() == 0 || geteuid() == 0) && !become(policy->user, report))
        return false;
    /* An ordinary user may have capabilities too, granted by a service manager. */
    if (!privileges_drop_capabilities(report))
        return false;
    sandbox_report_state(report, "uid", "%u", (unsigned)getuid());
    sandbox_report_state(report, "capabilities", "0");
    return true;
}

bool privileges_lock(const SandboxPolicy *policy, SandboxReport *report) {
    (void)policy;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return sandbox_report_missing(report, "dumpable cannot be cleared: %s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return sandbox_report_missing(report, "no_new_privs cannot be set: %s", strerror(errno));
    sandbox_report_state(report, "dumpable", "0");
    sandbox_report_state(report, "no_new_privs", "1");
    return true;
}
