/*
 * Parses any sandbox settings. Accepted settings must be valid by sandbox_policy.h, and the filter for them must
 * be valid on every machine.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/sandbox/sandbox_settings.h"
#include "../../../src/runner/sandbox/seccomp_filter.h"
#include "in_memory.h"

enum { CLASS_MASK = 0x07, CLASS_JUMP = 0x05, CLASS_RETURN = 0x06, JUMP_ALWAYS = 0x05 };

static void check_paths(const PathList *list) {
    if (list->count > SANDBOX_LIST_MAX)
        fuzz_fail("a list has too many paths");
    for (size_t index = 0; index < list->count; index++) {
        const char *path = list->paths[index];
        size_t length = strlen(path);

        if (path[0] != '/' || length >= SANDBOX_PATH_MAX || strstr(path, "/../") != NULL ||
            (length >= 3 && strcmp(path + length - 3, "/..") == 0))
            fuzz_fail("an invalid path was accepted");
    }
}

static void check_ports(const PortList *list) {
    if (list->count > SANDBOX_LIST_MAX)
        fuzz_fail("a list has too many ports");
    for (size_t index = 0; index < list->count; index++) {
        if (list->ports[index] == 0)
            fuzz_fail("port 0 was accepted");
    }
}

static void check_filter(const BpfProgram *program) {
    if (program->length == 0 || program->length > BPF_PROGRAM_MAX)
        fuzz_fail("a filter has a length that the kernel refuses");
    for (size_t index = 0; index < program->length; index++) {
        const BpfInstruction *at = &program->code[index];
        size_t left = program->length - index - 1;

        if ((at->code & CLASS_MASK) != CLASS_JUMP)
            continue;
        if (at->code == JUMP_ALWAYS ? at->operand >= left
                                    : at->if_true >= left || at->if_false >= left)
            fuzz_fail("a jump leaves the filter");
    }
    if ((program->code[program->length - 1].code & CLASS_MASK) != CLASS_RETURN)
        fuzz_fail("a filter does not end with a return");
}

/* Replaces the system's sandbox: checks the policy instead of applying it. */
bool sandbox_apply(const SandboxPolicy *policy, SandboxReport *report) {
    static BpfProgram program;
    bool limited =
        policy->memory_bytes > 0 && policy->open_files > 0 && policy->file_size_bytes > 0;

    if (policy->mode > SANDBOX_OFF)
        fuzz_fail("an unknown mode was accepted");
    if (policy->mode != SANDBOX_OFF && (policy->library == NULL || !limited))
        fuzz_fail("a sandbox without a library or a limit was accepted");
    check_paths(&policy->read);
    check_paths(&policy->write);
    check_ports(&policy->connect);
    check_ports(&policy->listen);
    for (int machine = 0; machine < SECCOMP_MACHINES; machine++) {
        if (!seccomp_filter(&program, (enum seccomp_machine)machine, policy, 1))
            fuzz_fail("no filter was built for a policy");
        check_filter(&program);
    }
    sandbox_report_state(report, "mode", "%d", (int)policy->mode);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static SandboxReport report;
    char *settings = malloc(size + 1);

    /* As from serve(): the last byte is a NUL, or there are no bytes. */
    if (size > 0)
        memcpy(settings, data, size);
    settings[size] = '\0';
    in_memory_forget();
    if (sandbox_apply_settings(settings, size == 0 ? 0 : size + 1, &report)) {
        if (report.reason[0] != '\0')
            fuzz_fail("settings were accepted with a reason for a refusal");
    } else if (report.reason[0] == '\0' ||
               memchr(report.reason, '\0', sizeof report.reason) == NULL) {
        fuzz_fail("settings were refused without a reason");
    }
    free(settings);
    return 0;
}
