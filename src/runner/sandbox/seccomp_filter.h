/*
 * Compiles the system-call filter of a plugin to a BPF program, from the tables seccomp_calls_*.h and the
 * plugin's policy. This is pure computation: any machine can build the program of any other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_SECCOMP_FILTER_H
#define BACKWORKS_RUNNER_SECCOMP_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/bpf_assembler.h"
#include "protocol.h"
#include "sandbox/sandbox_policy.h"

enum seccomp_machine { SECCOMP_X86_64, SECCOMP_AARCH64, SECCOMP_MACHINES };

/* Data of a trap: the lower 16 bits of the kernel's action. */
enum {
    SECCOMP_TRAP_REPORTED = 1, /* the call fails with EPERM and is reported */
    SECCOMP_TRAP_FATAL = 2     /* the process ends */
};

/*
 * What happens to a system call; the tables use these names without the prefix. The rules before
 * CALL_PERMISSIONS are the same for every plugin. The rules between CALL_PERMISSIONS and CALL_ARGUMENTS
 * depend on the plugin's permissions. The rest also depend on the call's arguments.
 */
enum call_rule {
    CALL_REPORT,
    CALL_ALLOW,
    CALL_DENY,
    CALL_ABSENT,
    CALL_FATAL,
    CALL_PERMISSIONS,
    CALL_WRITE_FILES,
    CALL_NETWORK,
    CALL_BIND,
    CALL_LISTEN,
    CALL_ARGUMENTS,
    CALL_SOCKET,
    CALL_SOCKETPAIR,
    CALL_SENDTO,
    CALL_SENDMSG,
    CALL_SENDMMSG,
    CALL_MMAP,
    CALL_CLONE,
    CALL_SELF_SIGNAL,
    CALL_SELF,
    CALL_SIGACTION,
    CALL_PRCTL,
    CALL_PRLIMIT,
    CALL_OPEN,
    CALL_OPENAT,
    CALL_CREAT,
    CALL_MKDIR,
    CALL_MKDIRAT,
    CALL_IOCTL,
    CALL_FCNTL,
    CALL_RULES
};

/* Builds the program for one machine and the process with id `process_id`. False when it fails. */
bool seccomp_filter(BpfProgram *program, enum seccomp_machine machine, const SandboxPolicy *policy,
                    uint32_t process_id);

/* The name of a system call; NULL when the tables do not list it. Async-signal-safe. */
const char *seccomp_call_name(enum seccomp_machine machine, int number);

/* The permission that would allow a system call; PERMISSION_NEVER for none. Async-signal-safe. */
enum permission seccomp_call_permission(enum seccomp_machine machine, int number);

#endif
