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

/* Timers and signals that wait for their handler: far more than any program has at once. */
enum { PENDING_SIGNALS = 1024 };

/* Before Linux 5.14 a user's threads are counted over all namespaces together. */
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
 * The user and the group keep their numbers inside. Where that cannot be said, the process sees itself
 * as user 65534; its rights are the same.
 */
static void map_identity(uid_t user, gid_t group) {
    char line[64];

    write_file("/proc/self/setgroups", "deny");
    (void)snprintf(line, sizeof line, "%u %u 1", (unsigned)user, (unsigned)user);
    write_file("/proc/self/uid_map", line);
    (void)snprintf(line, sizeof line, "%u %u 1", (unsigned)group, (unsigned)group);
    write_file("/proc/self/gid_map", line);
}

/* Whom else the kernel counts together with this process. */
enum company { ALONE, OWN_PLUGIN, OTHERS };

static bool enter_namespace(SandboxReport *report, bool *entered) {
    uid_t user = getuid();
    gid_t group = getgid();

    if (!namespaces_count()) {
        sandbox_report_state(report, "user_namespace", "none: Linux counts in them since 5.14");
        return true;
    }
    if (unshare(CLONE_NEWUSER) != 0) {
        sandbox_report_state(report, "user_namespace", "none: %s", strerror(errno));
        return true;
    }
    *entered = true;
    /* Changing the user made these files root's. privileges_lock() takes it back. */
    if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0)
        map_identity(user, group);
    sandbox_report_state(report, "user_namespace", "1");
    /* The first process of a namespace has every capability in it. */
    return privileges_drop_capabilities(report);
}

/* A limit of this process, which the kernel compares with the count of its user. */
static bool limit_threads(const SandboxPolicy *policy, enum company company,
                          SandboxReport *report) {
    switch (company) {
    case ALONE:
        return resource_limit_set(report, "threads", RLIMIT_NPROC, policy->threads);
    case OWN_PLUGIN:
        return resource_limit_set(report, "user_threads", RLIMIT_NPROC, policy->user_threads);
    default:
        /* The server's own threads and those of its other plugins would count. */
        sandbox_report_state(report, "threads", "sampled");
        return true;
    }
}

bool user_quotas_apply(const SandboxPolicy *policy, SandboxReport *report) {
    bool is_own = policy->user_threads > 0 && getuid() == policy->user;
    enum company company = is_own ? OWN_PLUGIN : OTHERS;
    bool entered = false;
    bool holds = enter_namespace(report, &entered);

    holds &= limit_threads(policy, entered ? ALONE : company, report);
    /* Also for a shared user: the server itself, which has a higher limit, keeps what it needs. */
    holds &= resource_limit_set(report, "pending_signals", RLIMIT_SIGPENDING, PENDING_SIGNALS);
    return holds;
}
