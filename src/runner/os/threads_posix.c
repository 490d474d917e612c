/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

#include "os/threads.h"

/* The stack size when the main stack has no limit, and the smallest stack a call thread gets. */
enum { STACK_SIZE = 8 * 1024 * 1024, STACK_SIZE_MIN = 256 * 1024 };

typedef struct Start {
    void (*run)(void *argument);
    void *argument;
} Start;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t events[THREADS_EVENTS] = {
    [THREADS_WORK] = PTHREAD_COND_INITIALIZER,
    [THREADS_PROGRESS] = PTHREAD_COND_INITIALIZER,
};

void threads_enter(void) {
    (void)pthread_mutex_lock(&mutex);
}

void threads_leave(void) {
    (void)pthread_mutex_unlock(&mutex);
}

void threads_wait(enum threads_event event) {
    (void)pthread_cond_wait(&events[event], &mutex);
}

void threads_announce(enum threads_event event) {
    (void)pthread_cond_signal(&events[event]);
}

size_t threads_memory_part(unsigned parts) {
    struct rlimit limit;

    if (getrlimit(RLIMIT_DATA, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return SIZE_MAX;
    return (size_t)limit.rlim_cur / parts;
}

/* A whole stack counts as memory of the process, used or not. */
static size_t stack_size(unsigned count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t part = threads_memory_part(4 * count);
    size_t size = STACK_SIZE;
    struct rlimit limit;

    if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        size = (size_t)limit.rlim_cur;
    if (size > part)
        size = part;
    if (size < STACK_SIZE_MIN)
        size = STACK_SIZE_MIN;
    return size / page * page;
}

static void *run_thread(void *argument) {
    Start start = *(Start *)argument;

    free(argument);
    start.run(start.argument);
    return NULL;
}

const char *threads_start(unsigned count, void (*run)(void *argument), void *argument) {
    Start *start = malloc(sizeof *start);
    pthread_attr_t attributes;
    pthread_t thread;
    int error;

    if (start == NULL)
        return "no memory is left";
    *start = (Start){run, argument};
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, stack_size(count));
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &attributes, run_thread, start);
    (void)pthread_attr_destroy(&attributes);
    if (error == 0)
        return NULL;
    free(start);
    return strerror(error);
}

uint32_t threads_own_number(void) {
#if defined(__linux__)
    return (uint32_t)syscall(SYS_gettid);
#else
    return 0;
#endif
}
