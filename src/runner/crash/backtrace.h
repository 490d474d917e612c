/*
 * Backtraces: the functions that were active when a signal came.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_BACKTRACE_H
#define BACKWORKS_RUNNER_BACKTRACE_H

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

enum { BACKTRACE_MAX = 32 };

/* Lets the unwinder do its one-time work, which must not happen in a signal handler. */
void backtrace_prepare(void);

/* The instruction that a signal interrupted. */
uintptr_t backtrace_interrupted(const ucontext_t *context);

/*
 * Finds the calls that led to a signal, innermost first, without the interrupted instruction. Each address
 * lies within a call instruction. For a signal handler on a stack of its own, whose thread does not return
 * to the plugin; one thread at a time. Ends early where the stack cannot be read.
 * Returns the number of addresses, at most BACKTRACE_MAX.
 */
size_t backtrace_callers(ucontext_t *context, uintptr_t *addresses);

#endif
