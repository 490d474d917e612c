/*
 * What the kernel counts for each user and not for each process: threads, queued signals, timers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_USER_QUOTAS_H
#define BACKWORKS_RUNNER_USER_QUOTAS_H

#include "sandbox/sandbox_policy.h"
#include "sandbox/sandbox_report.h"

/*
 * Puts the process into a user namespace of its own where the system allows that. From Linux 5.14 on
 * the kernel counts threads and signals for each user of each namespace: the limits then hold for this
 * process alone, and it cannot use up what other processes of its user need. Elsewhere threads are
 * limited for all processes of a user that no other plugin has, and not at all for a shared user.
 *
 * The report says which of these holds. A system without user namespaces lacks nothing that a policy
 * asks for: the server watches the number of threads itself. Must come after privileges_drop().
 */
bool user_quotas_apply(const SandboxPolicy *policy, SandboxReport *report);

#endif
