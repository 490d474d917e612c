/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/print_filter.h"
#include "protocol.h"
#include "sandbox/seccomp_filter.h"

static bool find_machine(const char *name, enum seccomp_machine *machine) {
    if (name != NULL && strcmp(name, "x86_64") == 0)
        *machine = SECCOMP_X86_64;
    else if (name != NULL && strcmp(name, "arm64") == 0)
        *machine = SECCOMP_AARCH64;
    else
        return false;
    return true;
}

static int refuse(const char *why) {
    (void)fprintf(stderr, "%s\n", why);
    return RUNNER_EXIT_USAGE;
}

int print_filter(const char *const *arguments) {
    static BpfProgram program;
    SandboxPolicy policy;
    char error[SANDBOX_ERROR_MAX];
    enum seccomp_machine machine = SECCOMP_X86_64;
    uint32_t process_id = 1;
    size_t count = 0;

    for (; *arguments != NULL && (*arguments)[0] == '-'; arguments += 2) {
        if (strcmp(*arguments, "--pid") == 0 && arguments[1] != NULL)
            process_id = (uint32_t)strtoul(arguments[1], NULL, 10);
        else if (strcmp(*arguments, "--arch") != 0 || !find_machine(arguments[1], &machine))
            return refuse("--print-filter [--arch x86_64|arm64] [--pid PID] KEY=VALUE...");
    }
    while (arguments[count] != NULL)
        count++;
    if (!sandbox_policy_parse(&policy, arguments, count, error))
        return refuse(error);
    if (!seccomp_filter(&program, machine, &policy, process_id))
        return refuse("the filter cannot be built");
    for (size_t index = 0; index < program.length; index++) {
        const BpfInstruction *instruction = &program.code[index];

        (void)printf("%u %u %u %lu\n", (unsigned)instruction->code, (unsigned)instruction->if_true,
                     (unsigned)instruction->if_false, (unsigned long)instruction->operand);
    }
    return RUNNER_EXIT_OK;
}
