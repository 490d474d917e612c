/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "resource_limits.h"

/*
 * RLIMIT_DATA counts what can be written and is not shared; runtimes reserve far more address space
 * than that. But mappings that are only read cost page tables, of which 64 GiB need 128 MiB.
 */
#define ADDRESS_SPACE_MAX (UINT64_C(64) << 30)

/* The C library's type for RLIMIT_*: an enumeration in one, int in another. */
typedef __typeof__(RLIMIT_DATA) Resource;

/* A limit that is lower already stays. */
static bool set(Resource resource, uint64_t value) {
    struct rlimit limit;

    if (getrlimit(resource, &limit) != 0)
        return false;
    if (limit.rlim_max > value)
        limit.rlim_max = (rlim_t)value;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

bool resource_limits_apply(const SandboxPolicy *policy, SandboxReport *report) {
    const struct {
        const char *name;
        Resource resource;
        uint64_t value;
        bool always; /* 0 means none, not unlimited */
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

    for (size_t index = 0; index < sizeof limits / sizeof *limits; index++) {
        if (limits[index].value == 0 && !limits[index].always)
            continue;
        if (!set(limits[index].resource, limits[index].value))
            return sandbox_report_missing(report, "the limit %s cannot be set: %s",
                                          limits[index].name, strerror(errno));
        sandbox_report_state(report, limits[index].name, "%llu",
                             (unsigned long long)limits[index].value);
    }
    /* A file that is too long is then an error of the plugin's write, not the end of the plugin. */
    (void)signal(SIGXFSZ, SIG_IGN);
    sandbox_report_state(report, "rlimits", "1");
    return true;
}
