/*
 * The system calls of a plugin as a BPF program, made from the tables seccomp_calls_*.h and the
 * plugin's policy. Pure computation: any machine can make the program of any other.
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

/* What becomes of a system call: the kernel's action, its data in the lower 16 bits. */
enum {
    SECCOMP_TRAP_REPORTED = 1, /* data of a trap whose call is to fail with EPERM */
    SECCOMP_TRAP_FATAL = 2     /* data of a trap that is to end the process */
};

/*
 * What may become of a system call. The names of the tables, with this prefix.
 * The rules before CALL_PERMISSIONS are the same for every plugin, those up to CALL_ARGUMENTS
 * depend on its permissions, and the rest also on the call's arguments.
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

/* Makes the program for one machine and a process whose id is `process_id`. False when it cannot.
 */
bool seccomp_filter(BpfProgram *program, enum seccomp_machine machine, const SandboxPolicy *policy,
                    uint32_t process_id);

/* The name of a system call, or NULL when the tables do not list it. Async-signal-safe. */
const char *seccomp_call_name(enum seccomp_machine machine, int number);

/* The permission that would allow a system call some plugins may make. Async-signal-safe. */
enum permission seccomp_call_permission(enum seccomp_machine machine, int number);

#endif
