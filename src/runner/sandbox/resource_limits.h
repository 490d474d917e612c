/*
 * Resource limits of the process: memory, descriptors, file size and processor time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_RESOURCE_LIMITS_H
#define BACKWORKS_RUNNER_RESOURCE_LIMITS_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/*
 * Sets every limit it can. The report lists the active values. Returns false, with the reasons in the
 * report, when a limit cannot be set.
 */
bool resource_limits_apply(const SandboxPolicy *policy, SandboxReport *report);

/*
 * Sets one RLIMIT_*, soft and hard, and reports the active value under `name`. A lower limit that is
 * already set stays. Returns false, with the reason in the report, when the limit cannot be set.
 */
bool resource_limit_set(SandboxReport *report, const char *name, int resource, uint64_t value);

#endif
