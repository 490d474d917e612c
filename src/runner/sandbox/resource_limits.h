/*
 * How much memory, how many descriptors, how long files and how much processor time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_RESOURCE_LIMITS_H
#define BACKWORKS_RUNNER_RESOURCE_LIMITS_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/*
 * Sets every limit it can; the report has what is in force. False, with the reasons in the report,
 * when one cannot be set.
 */
bool resource_limits_apply(const SandboxPolicy *policy, SandboxReport *report);

/*
 * Sets one RLIMIT_*, soft and hard, and reports what is in force under `name`. A lower limit stays.
 * False, with the reason in the report, when it cannot be set.
 */
bool resource_limit_set(SandboxReport *report, const char *name, int resource, uint64_t value);

#endif
