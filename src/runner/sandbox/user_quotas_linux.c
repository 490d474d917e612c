/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "sandbox/privileges.h"
#include "sandbox/resource_limits.h"
#include "sandbox/user_quotas.h"

/* Pending signals and timers; far more than any program needs at once. */
enum { PENDING_SIGNALS = 1024 };

/* Before Linux 5.14 the kernel counts a user's threads over all namespaces together. */
static bool namespaces_count(void) {
    struct utsname system;
    unsigned major, minor;

    if (uname(&system) != 0 || sscanf(system.release, "%u.%u", &major, &minor) != 2)
        return false;
    return major > 5 || (major == 5 && minor >= 14);
}

static void write_file(const char *path, const char *text) {
    int descriptor = open(path, O_WRONLY | O_CLOEXEC);

    if (descriptor < 0)
        return;
    (void)!write(descriptor, text, strlen(text));
    (void)close(descriptor);
}

/*
 * Maps the user and the group to the same numbers inside the namespace. When that fails, the process sees
 * itself as user 65534; its rights are the same.
 */
static void map_identity(uid_t user, gid_t group) {
    char line[64];

    write_file("/proc/self/setgroups", "deny");
    (void)snprintf(line, sizeof line, "%u %u 1", (unsigned)user, (unsigned)user);
    write_file("/proc/self/uid_map", line);
    (void)snprintf(line, sizeof line, "%u %u 1", (unsigned)group, (unsigned)group);
    write_file("/proc/self/gid_map", line);
}

/* Which processes the kernel counts together with this one. */
enum counted { ALONE, OWN_PLUGIN, OTHERS };

static bool enter_namespace(SandboxReport *report, bool *entered) {
    uid_t user = getuid();
    gid_t group = getgid();

    if (!namespaces_count()) {
        sandbox_report_state(report, "user_namespace",
                             "none: before Linux 5.14 the kernel does not count by namespace");
        return true;
    }
    if (unshare(CLONE_NEWUSER) != 0) {
        sandbox_report_state(report, "user_namespace", "none: %s", strerror(errno));
        return true;
    }
    *entered = true;
    /* Changing the user made these files root's. privileges_lock() clears the flag again. */
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0)
        map_identity(user, group);
    sandbox_report_state(report, "user_namespace", "1");
    /* The first process of a namespace has every capability in it. */
    return privileges_drop_capabilities(report);
}

/* Sets the limit of this process; the kernel compares it with the count of its user. */
static bool limit_threads(const SandboxPolicy *policy, enum counted counted,
                          SandboxReport *report) {
    switch (counted) {
    case ALONE:
        return resource_limit_set(report, "threads", RLIMIT_NPROC, policy->threads);
    case OWN_PLUGIN:
        return resource_limit_set(report, "user_threads", RLIMIT_NPROC, policy->user_threads);
    default:
        /* RLIMIT_NPROC would also count the threads of the server and of other plugins. */
        sandbox_report_state(report, "threads", "sampled");
        return true;
    }
}

bool user_quotas_apply(const SandboxPolicy *policy, SandboxReport *report) {
    bool is_own = policy->user_threads > 0 && getuid() == policy->user;
    enum counted counted = is_own ? OWN_PLUGIN : OTHERS;
    bool entered = false;
    bool holds = enter_namespace(report, &entered);

    holds &= limit_threads(policy, entered ? ALONE : counted, report);
    /* Set for a shared user, too: the server has a higher limit, so its own signals still queue. */
    holds &= resource_limit_set(report, "pending_signals", RLIMIT_SIGPENDING, PENDING_SIGNALS);
    return holds;
}
