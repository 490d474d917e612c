/*
 * Gives each thread of the plugin a stack of its own for signals. Without one, a stack overflow on the
 * thread could not be reported.
 *
 * SPDX-License-Identifier: MIT
 */
#include "interpose/interpose.h"

#if defined(__GLIBC__)

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crash/crash_report.h"

/* As large as the main thread's: the Go runtime runs its own signal handlers on it. */
enum { STACK_SIZE = 64 * 1024 };

typedef struct Start {
    void *(*run)(void *argument);
    void *argument;
} Start;

static pthread_key_t stack_of_thread;
static bool has_key;

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* Runs when the thread ends, in whatever way. */
static void free_stack(void *mapping) {
    char *stack = (char *)mapping + page_size();
    stack_t now;

    if (sigaltstack(NULL, &now) == 0 && now.ss_sp == stack) {
        now = (stack_t){.ss_flags = SS_DISABLE};
        (void)sigaltstack(&now, NULL);
    }
    (void)munmap(mapping, page_size() + STACK_SIZE);
}

__attribute__((constructor)) static void make_key(void) {
    has_key = pthread_key_create(&stack_of_thread, free_stack) == 0;
}

/* When memory runs out, the thread runs without a signal stack. */
static void set_stack(void) {
    size_t guard = page_size();
    char *mapping = mmap(NULL, guard + STACK_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t stack = {.ss_size = STACK_SIZE};

    if (mapping == MAP_FAILED)
        return;
    stack.ss_sp = mapping + guard;
    if (mprotect(stack.ss_sp, STACK_SIZE, PROT_READ | PROT_WRITE) != 0 ||
        pthread_setspecific(stack_of_thread, mapping) != 0) {
        (void)munmap(mapping, guard + STACK_SIZE);
        return;
    }
    (void)sigaltstack(&stack, NULL);
}

static void *run_thread(void *argument) {
    Start start = *(Start *)argument;

    free(argument);
    set_stack();
    return start.run(start.argument);
}

NEXT(pthread_create)
INTERPOSED int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes,
                              void *(*run)(void *), void *restrict argument) {
    Start *start = NULL;
    int error;

    if (pthread_create_next == NULL)
        find_pthread_create();
    if (has_key && crash_report_is_installed())
        start = malloc(sizeof *start);
    if (start == NULL)
        return pthread_create_next(thread, attributes, run, argument);
    *start = (Start){run, argument};
    error = pthread_create_next(thread, attributes, run_thread, start);
    if (error != 0)
        free(start);
    return error;
}

#endif
