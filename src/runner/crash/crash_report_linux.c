/*
 * Everything a handler calls here is async-signal-safe: the handler reads memory and writes to
 * the answer ring.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "crash/backtrace.h"
#include "crash/crash_report.h"
#include "frames/frames.h"
#include "crash/module_map.h"
#include "frames/own_call.h"
#include "protocol.h"
#include "sandbox/refusals.h"
#include "sandbox/seccomp.h"

/* A report has room for its fixed strings and for each caller: a name of a module and a number. */
enum {
    ALTERNATE_STACK_SIZE = 64 * 1024,
    NUMBER_MAX = 20,
    REPORT_ROOM = FRAME_HEADER_SIZE + 512 + BACKTRACE_MAX * (MODULE_NAME_MAX + NUMBER_MAX),
    SECCOMP_SIGNAL = 1
};
_Static_assert(REPORT_ROOM <= 4096, "the server accepts no longer report");

static char alternate_stack[ALTERNATE_STACK_SIZE];
static atomic_bool installed;
static int written_to =
    -1; /* a descriptor for reports without frames; -1: the channel gets frames */
static size_t memory_limit; /* 0: none */
static const char *_Atomic current_phase = "load";
/* Set by the thread that reports. Another thread that crashes meanwhile waits for the process to end. */
static atomic_flag reporting = ATOMIC_FLAG_INIT;

/* A frame under construction. */
typedef struct Report {
    char bytes[REPORT_ROOM];
    size_t length;
} Report;

static void put_little_endian(char *into, uint32_t number) {
    for (unsigned byte = 0; byte < 4; byte++)
        into[byte] = (char)(unsigned char)(number >> (8 * byte));
}

/* Appends a string and its NUL byte; every string of the report fits. */
static void put_string(Report *report, const char *text) {
    size_t left = sizeof report->bytes - report->length - 1;

    for (; *text != '\0' && left > 0; left--)
        report->bytes[report->length++] = *text++;
    report->bytes[report->length++] = '\0';
}

static void put_number(Report *report, uintptr_t number, unsigned base) {
    char digits[2 + 2 * sizeof number + 8];
    char *at = digits + sizeof digits;

    *--at = '\0';
    do {
        *--at = "0123456789abcdef"[number % base];
        number /= base;
    } while (number != 0);
    if (base == 16) {
        *--at = 'x';
        *--at = '0';
    }
    put_string(report, at);
}

/* Sets the return value of the system call that trapped. */
static void set_result(ucontext_t *context, int result) {
#if defined(__x86_64__)
    context->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
    context->uc_mcontext.regs[0] = (unsigned long long)(long long)result;
#else
    (void)context;
    (void)result;
#endif
}

/* True when a quarter of the memory limit can no longer be allocated. */
static bool memory_is_low(void) {
    size_t share = memory_limit / 4;
    void *probe;

    if (share == 0)
        return false;
    probe = mmap(NULL, share, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED)
        return true;
    (void)munmap(probe, share);
    return false;
}

/* Appends the module and the offset in it; outside of any module "" and the address. */
static void put_place(Report *report, uintptr_t at) {
    const Module *module = module_map_find(at);

    put_string(report, module != NULL ? module->name : "");
    put_number(report, module != NULL ? at - module->base : at, 16);
}

/* The payload of CRASHED, as protocol.h describes it. */
static void put_payload(Report *report, int signal, const siginfo_t *info, ucontext_t *context) {
    uintptr_t callers[BACKTRACE_MAX];
    size_t count = backtrace_callers(context, callers);
    bool call = signal == SIGSYS && info->si_code == SECCOMP_SIGNAL;
    const char *name = NULL;

    /* A signal that another process or thread sent carries no address. */
    if (info->si_code > 0 && signal != SIGSYS && signal != SIGABRT)
        put_number(report, (uintptr_t)info->si_addr, 16);
    else
        put_string(report, "");
    put_place(report, backtrace_interrupted(context));
    put_string(report, own_call.here ? own_call.phase : atomic_load(&current_phase));
    if (call)
        put_number(report, (uintptr_t)info->si_syscall, 10);
    else
        put_string(report, "");
    if (call)
        name = seccomp_call_name(seccomp_this_machine(), info->si_syscall);
    put_string(report, name != NULL ? name : "");
    put_string(report, memory_is_low() ? "low" : "");
    for (size_t index = 0; index < count; index++)
        put_place(report, callers[index]);
}

static void send(Report *report, uint8_t type, uint8_t detail, uint32_t value) {
    if (written_to >= 0) {
        if (type == FRAME_CRASHED)
            (void)!write(written_to, report->bytes + FRAME_HEADER_SIZE,
                         report->length - FRAME_HEADER_SIZE);
        return;
    }
    put_little_endian(report->bytes, (uint32_t)(report->length - FRAME_HEADER_SIZE));
    report->bytes[8] = (char)type;
    report->bytes[9] = (char)detail;
    put_little_endian(report->bytes + 12, value);
    output_final_frame(report->bytes, report->length);
}

/* Sent before the report: many plugins crash because an operation was refused. */
static void send_refusals(void) {
    Refusal refusal;

    while (refusals_next(&refusal)) {
        Report report = {.length = FRAME_HEADER_SIZE};

        put_string(&report, refusal.function);
        put_string(&report, refusal.object);
        send(&report, FRAME_REFUSED, (uint8_t)refusal.permission, refusal.times);
    }
}

static void send_report(int signal, const siginfo_t *info, ucontext_t *context) {
    Report report = {.length = FRAME_HEADER_SIZE};

    put_payload(&report, signal, info, context);
    send(&report, FRAME_CRASHED, 0, (uint32_t)signal);
}

/* An interposed function reports its refused calls itself, because it knows the object. */
static void note_refused_call(int number) {
    enum seccomp_machine machine = seccomp_this_machine();
    const char *name = seccomp_call_name(machine, number);

    if (refusal_is_reported_by_function)
        return;
    if (name != NULL)
        refusals_note(seccomp_call_permission(machine, number), name, "");
    else
        refusals_note_number(PERMISSION_NEVER, "system call", number);
}

/* Ends the process by the signal that was about to end it, as soon as the handler returns. */
static void die_by(int signal) {
    struct sigaction action = {.sa_handler = SIG_DFL};

    /* The filter keeps SIGSYS handled. But a fatal call ends the process while SIGSYS is blocked, as here. */
    if (signal == SIGSYS)
        (void)syscall(SYS_unshare, 0);
    (void)sigaction(signal, &action, NULL);
    (void)syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signal);
}

static void on_signal(int signal, siginfo_t *info, void *context) {
    int error = errno;

    if (signal == SIGSYS && info->si_code == SECCOMP_SIGNAL &&
        info->si_errno == SECCOMP_TRAP_REPORTED) {
        note_refused_call(info->si_syscall);
        set_result(context, -EPERM);
        errno = error;
        return;
    }
    while (atomic_flag_test_and_set(&reporting))
        (void)pause();
    own_call_record_end();
    send_refusals();
    send_report(signal, info, context);
    die_by(signal);
}

void crash_report_install(void) {
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
    stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    (void)sigaltstack(&stack, NULL);
    /* All signals are blocked, so that a fault inside the handler ends the process at once. */
    (void)sigfillset(&action.sa_mask);
    for (size_t index = 0; index < sizeof signals / sizeof *signals; index++)
        (void)sigaction(signals[index], &action, NULL);
    module_map_refresh();
    backtrace_prepare();
    atomic_store(&installed, true);
}

bool crash_report_is_installed(void) {
    return atomic_load(&installed);
}

void crash_report_write_to(FILE *stream) {
    written_to = fileno(stream);
}

void crash_report_loading(const char *path) {
    module_map_loading(path);
}

void crash_report_phase(const char *phase) {
    if (own_call.here)
        own_call.phase = phase;
    else
        atomic_store_explicit(&current_phase, phase, memory_order_relaxed);
}

void crash_report_refresh_modules(void) {
    struct rlimit limit;

    module_map_refresh();
    if (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        memory_limit = (size_t)limit.rlim_cur;
}
