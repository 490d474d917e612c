/*
 * Parses any sandbox settings. Accepted settings must be valid by sandbox_policy.h, and every machine must
 * get a filter for them whose jumps stay inside.
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
        fuzz_fail("too many paths");
    for (size_t index = 0; index < list->count; index++) {
        const char *path = list->paths[index];
        size_t length = strlen(path);

        if (path[0] != '/' || length >= SANDBOX_PATH_MAX || strstr(path, "/../") != NULL ||
            (length >= 3 && strcmp(path + length - 3, "/..") == 0))
            fuzz_fail("a path that should have been refused");
    }
}

static void check_ports(const PortList *list) {
    if (list->count > SANDBOX_LIST_MAX)
        fuzz_fail("too many ports");
    for (size_t index = 0; index < list->count; index++) {
        if (list->ports[index] == 0)
            fuzz_fail("port 0 should have been refused");
    }
}

static void check_filter(const BpfProgram *program) {
    if (program->length == 0 || program->length > BPF_PROGRAM_MAX)
        fuzz_fail("a filter no kernel takes");
    for (size_t index = 0; index < program->length; index++) {
        const BpfInstruction *at = &program->code[index];
        size_t left = program->length - index - 1;

        if ((at->code & CLASS_MASK) != CLASS_JUMP)
            continue;
        if (at->code == JUMP_ALWAYS ? at->operand >= left
                                    : at->if_true >= left || at->if_false >= left)
            fuzz_fail("a jump out of the filter");
    }
    if ((program->code[program->length - 1].code & CLASS_MASK) != CLASS_RETURN)
        fuzz_fail("a filter that ends without an answer");
}

/* Replaces the system's sandbox: checks the policy instead of applying it. */
bool sandbox_apply(const SandboxPolicy *policy, SandboxReport *report) {
    static BpfProgram program;
    bool limited =
        policy->memory_bytes > 0 && policy->open_files > 0 && policy->file_size_bytes > 0;

    if (policy->mode > SANDBOX_OFF)
        fuzz_fail("a mode that is none");
    if (policy->mode != SANDBOX_OFF && (policy->library == NULL || !limited))
        fuzz_fail("a sandbox without a library or a limit");
    check_paths(&policy->read);
    check_paths(&policy->write);
    check_ports(&policy->connect);
    check_ports(&policy->listen);
    for (int machine = 0; machine < SECCOMP_MACHINES; machine++) {
        if (!seccomp_filter(&program, (enum seccomp_machine)machine, policy, 1))
            fuzz_fail("a policy without a filter");
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
            fuzz_fail("accepted with a reason against it");
    } else if (report.reason[0] == '\0' ||
               memchr(report.reason, '\0', sizeof report.reason) == NULL) {
        fuzz_fail("refused without a reason");
    }
    free(settings);
    return 0;
}
