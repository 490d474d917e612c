/*
 * Parses and applies the sandbox settings that the server sends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SANDBOX_SETTINGS_H
#define BACKWORKS_RUNNER_SANDBOX_SETTINGS_H

#include "sandbox/sandbox.h"

/*
 * Applies the settings of sandbox_policy.h: consecutive strings, each ended by a NUL byte, `length` bytes
 * in all. Returns false when a setting is wrong or the sandbox fails; `report->reason` says why.
 */
bool sandbox_apply_settings(const char *settings, size_t length, SandboxReport *report);

/* The same for an array of `count` settings. */
bool sandbox_apply_list(const char *const *settings, size_t count, SandboxReport *report);

#endif
