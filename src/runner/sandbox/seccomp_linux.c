/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/seccomp.h"

_Static_assert(sizeof(BpfInstruction) == sizeof(struct sock_filter) &&
                   offsetof(BpfInstruction, operand) == offsetof(struct sock_filter, k),
               "instructions are laid out as the kernel's");

enum seccomp_machine seccomp_this_machine(void) {
#if defined(__x86_64__) && !defined(__ILP32__)
    return SECCOMP_X86_64;
#elif defined(__AARCH64EL__)
    return SECCOMP_AARCH64;
#else
    return SECCOMP_MACHINES;
#endif
}

bool seccomp_apply(const SandboxPolicy *policy, SandboxReport *report) {
    static BpfProgram program;
    enum seccomp_machine machine = seccomp_this_machine();
    struct sock_fprog filter;

    if (machine == SECCOMP_MACHINES)
        return sandbox_report_missing(report, "seccomp has no filter for this processor");
    if (!seccomp_filter(&program, machine, policy, (uint32_t)getpid()))
        return sandbox_report_missing(report, "seccomp: the filter cannot be built");
    filter = (struct sock_fprog){.len = (unsigned short)program.length,
                                 .filter = (struct sock_filter *)(void *)program.code};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
        return sandbox_report_missing(report, "seccomp is not available: %s", strerror(errno));
    sandbox_report_state(report, "seccomp", "1");
    return true;
}
