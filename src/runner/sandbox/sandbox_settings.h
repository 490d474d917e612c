/*
 * The sandbox as the server asks for it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SANDBOX_SETTINGS_H
#define BACKWORKS_RUNNER_SANDBOX_SETTINGS_H

#include "sandbox/sandbox.h"

/*
 * Applies settings of sandbox_policy.h that lie behind each other, each ended by a NUL byte, in
 * `length` bytes. False when one is wrong or the sandbox is refused; `report->reason` says why.
 */
bool sandbox_apply_settings(const char *settings, size_t length, SandboxReport *report);

/* The same for `count` settings that lie anywhere. */
bool sandbox_apply_list(const char *const *settings, size_t count, SandboxReport *report);

#endif
