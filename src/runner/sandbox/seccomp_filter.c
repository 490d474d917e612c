/* SPDX-License-Identifier: MIT */
#include "sandbox/seccomp_arguments.h"
#include "sandbox/seccomp_filter.h"

enum {
    ERROR_NOT_PERMITTED = 1,
    ERROR_NO_SUCH_CALL = 38,
    NUMBERS = 512,
    X32_NUMBERS = 0x40000000 /* calls of the x32 ABI begin here */
};

static const struct machine {
    uint32_t architecture; /* AUDIT_ARCH_* */
    bool has_x32;
} machines[SECCOMP_MACHINES] = {
    [SECCOMP_X86_64] = {UINT32_C(0xC000003E), true},
    [SECCOMP_AARCH64] = {UINT32_C(0xC00000B7), false},
};

/* In the tables: the processor has no such call. */
enum { NONE = -1 };

#define CALL(name, x86_64, aarch64, rule) {#name, {x86_64, aarch64}, CALL_##rule},
static const struct call {
    const char *name;
    int16_t numbers[SECCOMP_MACHINES];
    uint8_t rule;
} calls[] = {
#include "sandbox/seccomp_calls_allowed.h"
#include "sandbox/seccomp_calls_refused.h"
};
#undef CALL

enum { CALL_COUNT = sizeof calls / sizeof *calls };

/* Resolves a rule that depends on permissions. */
static enum call_rule with_permissions(enum call_rule rule, const SandboxPolicy *policy) {
    bool listens = policy->listen.count > 0;
    bool network = listens || policy->connect.count > 0 || policy->udp;

    switch (rule) {
    case CALL_WRITE_FILES:
        return policy->write.count > 0 ? CALL_ALLOW : CALL_REPORT;
    case CALL_NETWORK:
        return network ? CALL_ALLOW : CALL_DENY;
    case CALL_BIND:
        return listens || policy->udp ? CALL_ALLOW : CALL_DENY;
    case CALL_LISTEN:
        return listens ? CALL_ALLOW : CALL_DENY;
    default:
        return rule;
    }
}

/* Consecutive numbers under one rule. */
typedef struct Run {
    uint32_t first;
    enum call_rule rule;
} Run;

/*
 * Splits the numbers into runs. Numbers that the tables do not list are refused up to the highest known
 * number. Above it, calls fail as on a kernel without them.
 */
static size_t find_runs(Run *runs, enum seccomp_machine machine, const SandboxPolicy *policy) {
    enum call_rule rules[NUMBERS];
    int highest = 0;
    size_t count = 0;

    for (size_t number = 0; number < NUMBERS; number++)
        rules[number] = CALL_REPORT;
    for (size_t index = 0; index < CALL_COUNT; index++) {
        int number = calls[index].numbers[machine];

        if (number == NONE)
            continue;
        rules[number] = with_permissions((enum call_rule)calls[index].rule, policy);
        if (number > highest)
            highest = number;
    }
    for (int number = 0; number <= highest; number++) {
        if (number == 0 || rules[number] != rules[number - 1])
            runs[count++] = (Run){(uint32_t)number, rules[number]};
    }
    runs[count++] = (Run){(uint32_t)highest + 1, CALL_ABSENT};
    return count;
}

/* Finds the run of the number in the accumulator by binary search. */
static void write_search(const SeccompFilter *filter, const Run *runs, size_t count) {
    size_t half = count / 2;
    BpfLabel upper;

    if (count == 1) {
        bpf_jump(filter->program, filter->rules[runs->rule]);
        return;
    }
    upper = bpf_label(filter->program);
    bpf_jump_if(filter->program, BPF_AT_LEAST, runs[half].first, upper);
    write_search(filter, runs, half);
    bpf_place(filter->program, upper);
    write_search(filter, runs + half, count - half);
}

/* Ends the process on calls of another ABI (32-bit, x32), whose numbers mean different calls. */
static void write_foreign_calls(BpfProgram *program, const struct machine *machine) {
    BpfLabel foreign = bpf_label(program);
    BpfLabel native = bpf_label(program);
    BpfLabel known = bpf_label(program);

    bpf_load(program, DATA_ARCHITECTURE);
    bpf_jump_if(program, BPF_EQUAL, machine->architecture, native);
    bpf_jump(program, foreign);
    bpf_place(program, native);
    bpf_load(program, DATA_NUMBER);
    if (machine->has_x32)
        bpf_jump_if(program, BPF_AT_LEAST, X32_NUMBERS, foreign);
    bpf_jump(program, known);
    bpf_place(program, foreign);
    bpf_return(program, SECCOMP_ACTION_KILL_PROCESS);
    bpf_place(program, known);
}

static void write_rules(const SeccompFilter *filter) {
    static const struct {
        enum call_rule rule;
        uint32_t action;
    } plain[] = {
        {CALL_ALLOW, SECCOMP_ACTION_ALLOW},
        {CALL_DENY, SECCOMP_ACTION_ERRNO | ERROR_NOT_PERMITTED},
        {CALL_ABSENT, SECCOMP_ACTION_ERRNO | ERROR_NO_SUCH_CALL},
        {CALL_REPORT, SECCOMP_ACTION_TRAP | SECCOMP_TRAP_REPORTED},
        {CALL_FATAL, SECCOMP_ACTION_TRAP | SECCOMP_TRAP_FATAL},
    };

    for (int rule = CALL_ARGUMENTS + 1; rule < CALL_RULES; rule++) {
        bpf_place(filter->program, filter->rules[rule]);
        seccomp_write_arguments_rule(filter, (enum call_rule)rule);
    }
    /* Last, because the rules above jump here, and jumps only lead forward. */
    for (size_t index = 0; index < sizeof plain / sizeof *plain; index++) {
        bpf_place(filter->program, filter->rules[plain[index].rule]);
        bpf_return(filter->program, plain[index].action);
    }
}

bool seccomp_filter(BpfProgram *program, enum seccomp_machine machine, const SandboxPolicy *policy,
                    uint32_t process_id) {
    SeccompFilter filter = {.program = program, .policy = policy, .process_id = process_id};
    Run runs[NUMBERS + 1];
    size_t count = find_runs(runs, machine, policy);

    bpf_begin(program);
    for (int rule = 0; rule < CALL_RULES; rule++)
        filter.rules[rule] = bpf_label(program);
    write_foreign_calls(program, &machines[machine]);
    write_search(&filter, runs, count);
    write_rules(&filter);
    return bpf_finish(program);
}

static const struct call *find_call(enum seccomp_machine machine, int number) {
    for (size_t index = 0; index < CALL_COUNT; index++) {
        if (calls[index].numbers[machine] == number && number != NONE)
            return &calls[index];
    }
    return NULL;
}

const char *seccomp_call_name(enum seccomp_machine machine, int number) {
    const struct call *call = find_call(machine, number);

    return call != NULL ? call->name : NULL;
}

enum permission seccomp_call_permission(enum seccomp_machine machine, int number) {
    const struct call *call = find_call(machine, number);

    switch (call != NULL ? call->rule : CALL_REPORT) {
    case CALL_WRITE_FILES:
    case CALL_MKDIR:
    case CALL_MKDIRAT:
    case CALL_CREAT:
        return PERMISSION_FILESYSTEM_WRITE;
    case CALL_NETWORK:
        return PERMISSION_NETWORK_CONNECT;
    case CALL_BIND:
    case CALL_LISTEN:
        return PERMISSION_NETWORK_LISTEN;
    default:
        return PERMISSION_NEVER;
    }
}
