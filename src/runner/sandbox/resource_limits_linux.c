/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "sandbox/resource_limits.h"

/*
 * RLIMIT_DATA counts private writable memory. Runtimes reserve far more address space than that, so the
 * address space needs its own limit: read-only mappings cost page tables, 128 MiB for 64 GiB.
 */
#define ADDRESS_SPACE_MAX (UINT64_C(64) << 30)

/* The C library's type for RLIMIT_*: an enumeration in glibc, int in others. */
typedef __typeof__(RLIMIT_DATA) Resource;

/*
 * Sets a limit. A limit that is already lower stays, because it cannot be raised and is stricter.
 * Returns false when the limit cannot be set; otherwise `in_force` is the kernel's value afterwards.
 */
static bool set(int which, uint64_t value, uint64_t *in_force) {
    Resource resource = (Resource)which;
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0)
        return false;
    if (limit.rlim_max > value)
        limit.rlim_max = (rlim_t)value;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(resource, &limit) != 0 || getrlimit(resource, &limit) != 0)
        return false;
    *in_force = limit.rlim_cur;
    return true;
}

/* Reports the active limit, and why it differs from the requested one. */
static void report_limit(SandboxReport *report, const char *name, uint64_t value,
                         uint64_t in_force) {
    if (in_force == value)
        sandbox_report_state(report, name, "%llu", (unsigned long long)value);
    else
        sandbox_report_state(report, name, "%llu (not %llu: the hard limit of the server is lower)",
                             (unsigned long long)in_force, (unsigned long long)value);
}

bool resource_limit_set(SandboxReport *report, const char *name, int resource, uint64_t value) {
    uint64_t in_force;

    if (!set(resource, value, &in_force))
        return sandbox_report_missing(report, "the limit %s cannot be set: %s", name,
                                      strerror(errno));
    report_limit(report, name, value, in_force);
    return true;
}

bool resource_limits_apply(const SandboxPolicy *policy, SandboxReport *report) {
    const struct {
        const char *name;
        int resource;
        uint64_t value;
        bool always; /* a value of 0 is set, too; otherwise 0 means unlimited */
    } limits[] = {
        {"memory", RLIMIT_DATA, policy->memory_bytes, false},
        {"address_space", RLIMIT_AS,
         policy->mode == SANDBOX_OFF ? 0 : policy->memory_bytes + ADDRESS_SPACE_MAX, false},
        {"open_files", RLIMIT_NOFILE, policy->open_files, false},
        {"file_size", RLIMIT_FSIZE, policy->file_size_bytes, false},
        {"cpu", RLIMIT_CPU, policy->cpu_seconds, false},
        {"core", RLIMIT_CORE, 0, true},
        {"locked_memory", RLIMIT_MEMLOCK, 0, true},
        {"message_queues", RLIMIT_MSGQUEUE, 0, true},
    };
    bool all = true;

    for (size_t index = 0; index < sizeof limits / sizeof *limits; index++) {
        if (limits[index].value > 0 || limits[index].always)
            all &= resource_limit_set(report, limits[index].name, limits[index].resource,
                                      limits[index].value);
    }
    /* When a file grows too long, the plugin's write fails; the plugin is not killed. */
    (void)signal(SIGXFSZ, SIG_IGN);
    if (all)
        sandbox_report_state(report, "rlimits", "1");
    return all;
}
