/*
 * Installs the filter of seccomp_filter.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SECCOMP_H
#define BACKWORKS_RUNNER_SECCOMP_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"
#include "sandbox/seccomp_filter.h"

/* The processor of this process; SECCOMP_MACHINES when there is no filter for it. */
enum seccomp_machine seccomp_this_machine(void);

/* Installs the filter on every thread. Returns false, with the reason in the report, when it fails. */
bool seccomp_apply(const SandboxPolicy *policy, SandboxReport *report);

#endif
