/*
 * Filter rules for system calls whose arguments decide whether they are allowed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SECCOMP_ARGUMENTS_H
#define BACKWORKS_RUNNER_SECCOMP_ARGUMENTS_H

#include "sandbox/seccomp_filter.h"

/* Kernel actions from linux/seccomp.h; the headers of old systems lack some of them. */
#define SECCOMP_ACTION_KILL_PROCESS UINT32_C(0x80000000)
#define SECCOMP_ACTION_TRAP UINT32_C(0x00030000)
#define SECCOMP_ACTION_ERRNO UINT32_C(0x00050000)
#define SECCOMP_ACTION_ALLOW UINT32_C(0x7fff0000)

/* Byte offsets in struct seccomp_data of a little-endian machine. */
enum { DATA_NUMBER = 0, DATA_ARCHITECTURE = 4, DATA_ARGUMENTS = 16 };

/* A filter under construction. */
typedef struct SeccompFilter {
    BpfProgram *program;
    const SandboxPolicy *policy;
    uint32_t process_id;
    BpfLabel rules[CALL_RULES]; /* where each rule begins */
} SeccompFilter;

/* Writes the instructions of a rule above CALL_ARGUMENTS. Write the plain rules after it. */
void seccomp_write_arguments_rule(const SeccompFilter *filter, enum call_rule rule);

#endif
