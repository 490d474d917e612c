/*
 * Puts the filter of seccomp_filter.h in force.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SECCOMP_H
#define BACKWORKS_RUNNER_SECCOMP_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"
#include "sandbox/seccomp_filter.h"

/* The machine this process runs on; SECCOMP_MACHINES when there is no filter for it. */
enum seccomp_machine seccomp_this_machine(void);

/* On every thread. False, with the reason in the report, when it cannot. */
bool seccomp_apply(const SandboxPolicy *policy, SandboxReport *report);

#endif
