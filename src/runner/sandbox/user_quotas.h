/*
 * Limits on what the kernel counts per user instead of per process: threads, queued signals, timers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_USER_QUOTAS_H
#define BACKWORKS_RUNNER_USER_QUOTAS_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/*
 * Puts the process into a user namespace of its own, where the system allows that. Since Linux 5.14 the
 * kernel counts threads and signals for each user of each namespace. The limits then apply to this
 * process alone, and it cannot use up what other processes of its user need. Without a namespace, threads
 * are limited for all processes of the user if no other plugin has that user, and otherwise not at all.
 *
 * The report says which case applies. A missing user namespace does not fail the policy, because the
 * server samples the number of threads itself. Call after privileges_drop().
 */
bool user_quotas_apply(const SandboxPolicy *policy, SandboxReport *report);

#endif
