/*
 * The stack belongs to the plugin and may hold anything. A fault while it is read ends the walk and not the
 * report, and the number of frames is bounded.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

#include "crash/backtrace.h"
#include "crash/module_map.h"

/* Frames between this file and the interrupted function: the handler, and handlers of runtimes above it. */
enum { OWN_FRAMES_MAX = 16 };

/* Memory outlives the jump out of the walk. */
static struct {
    uintptr_t addresses[BACKTRACE_MAX];
    size_t count;
    uintptr_t from; /* where the walk begins to count */
    unsigned skipped;
    bool begun;
} walk;

static sigjmp_buf unreadable;
static _Thread_local volatile sig_atomic_t walking;

uintptr_t backtrace_interrupted(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static uintptr_t frame_pointer(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RBP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.regs[29];
#else
    (void)context;
    return 0;
#endif
}

/* After a jump to an address without code, continues as if the call had returned. */
static void return_from_call(ucontext_t *context) {
#if defined(__x86_64__)
    greg_t *registers = context->uc_mcontext.gregs;

    registers[REG_RIP] = *(const greg_t *)(uintptr_t)registers[REG_RSP];
    registers[REG_RSP] += (greg_t)sizeof(greg_t);
#elif defined(__aarch64__)
    context->uc_mcontext.pc = context->uc_mcontext.regs[30];
#else
    (void)context;
#endif
}

static bool add(uintptr_t address) {
    if (walk.count == BACKTRACE_MAX)
        return false;
    walk.addresses[walk.count++] = address;
    return true;
}

static _Unwind_Reason_Code on_frame(struct _Unwind_Context *frame, void *context) {
    int is_interrupted = 0;
    uintptr_t address = (uintptr_t)_Unwind_GetIPInfo(frame, &is_interrupted);

    (void)context;
    if (!walk.begun) {
        walk.begun = address == walk.from;
        return walk.begun || walk.skipped++ < OWN_FRAMES_MAX ? _URC_NO_REASON : _URC_END_OF_STACK;
    }
    /* A return address may be the first one of the next function. */
    if (address == 0 || !add(is_interrupted ? address : address - 1))
        return _URC_END_OF_STACK;
    return _URC_NO_REASON;
}

/* For code without unwind tables. A frame pointer may be any number then. */
static void follow_frame_pointers(const ucontext_t *context) {
    uintptr_t frame = frame_pointer(context);

    while (frame != 0 && frame % sizeof frame == 0) {
        const uintptr_t *record = (const uintptr_t *)frame;

        /* Only addresses of code count, and callers lie higher on the stack. */
        if (module_map_find(record[1]) == NULL || !add(record[1] - 1) || record[0] <= frame)
            return;
        frame = record[0];
    }
}

static _Unwind_Reason_Code on_first_frame(struct _Unwind_Context *frame, void *context) {
    (void)frame;
    (void)context;
    return _URC_END_OF_STACK;
}

void backtrace_prepare(void) {
    (void)_Unwind_Backtrace(on_first_frame, NULL);
}

static void walk_from(ucontext_t *context) {
    uintptr_t begun_at = backtrace_interrupted(context);

    /* The library's constructors run before the map knows the library. */
    if (module_map_find(begun_at) == NULL)
        module_map_refresh();
    if (module_map_find(begun_at) == NULL) {
        return_from_call(context);
        begun_at = backtrace_interrupted(context);
        if (module_map_find(begun_at) == NULL || !add(begun_at - 1))
            return;
    }
    walk.from = begun_at;
    (void)_Unwind_Backtrace(on_frame, NULL);
    if (walk.count == 0)
        follow_frame_pointers(context);
}

static void on_fault(int signal) {
    (void)signal;
    if (walking)
        siglongjmp(unreadable, 1);
    /* Another thread crashes meanwhile; the process is about to end. */
    for (;;)
        (void)pause();
}

size_t backtrace_callers(ucontext_t *context, uintptr_t *addresses) {
    static const int faults[] = {SIGSEGV, SIGBUS};
    enum { FAULTS = sizeof faults / sizeof *faults };
    struct sigaction caught = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    struct sigaction before[FAULTS];
    ucontext_t unchanged = *context;
    sigset_t open;

    (void)sigfillset(&caught.sa_mask);
    (void)sigemptyset(&open);
    for (size_t index = 0; index < FAULTS; index++) {
        (void)sigaction(faults[index], &caught, &before[index]);
        (void)sigaddset(&open, faults[index]);
    }
    memset(&walk, 0, sizeof walk);
    if (sigsetjmp(unreadable, 1) == 0) {
        walking = 1;
        (void)sigprocmask(SIG_UNBLOCK, &open, NULL);
        walk_from(context);
    }
    walking = 0;
    (void)sigfillset(&open);
    (void)sigprocmask(SIG_BLOCK, &open, NULL);
    for (size_t index = 0; index < FAULTS; index++)
        (void)sigaction(faults[index], &before[index], NULL);
    *context = unchanged;
    memcpy(addresses, walk.addresses, walk.count * sizeof *addresses);
    return walk.count;
}
