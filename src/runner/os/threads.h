/*
 * Threads that run calls, and the monitor (lock and conditions) that they wait with.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_THREADS_H
#define BACKWORKS_RUNNER_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Events to wait for inside the monitor. */
enum threads_event {
    THREADS_WORK,     /* there is a job to run */
    THREADS_PROGRESS, /* a job has been run */
    THREADS_EVENTS
};

/* Enters the monitor. Only one thread at a time is inside. */
void threads_enter(void);
void threads_leave(void);

/* Leaves the monitor, waits for the event and enters again. May also return without the event. */
void threads_wait(enum threads_event event);

/* Wakes one thread that waits for the event. */
void threads_announce(enum threads_event event);

/*
 * Starts one of `count` threads. The thread ends with the process. Its stack is as large as the main
 * thread's, unless all stacks together would take more than a quarter of the process's memory.
 * Returns: NULL, or why the thread cannot be started
 */
const char *threads_start(unsigned count, void (*run)(void *argument), void *argument);

/* The memory limit of this process divided by `parts`; SIZE_MAX when memory is not limited. */
size_t threads_memory_part(unsigned parts);

/* The system's id of this thread; 0 where the system is not Linux. */
uint32_t threads_own_number(void);

#endif
