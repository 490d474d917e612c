/*
 * Threads that run calls, and what they wait with.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_THREADS_H
#define BACKWORKS_RUNNER_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is waited for with the monitor entered. */
enum threads_event {
    THREADS_WORK,     /* there is a job to run */
    THREADS_PROGRESS, /* one has been run */
    THREADS_EVENTS
};

/* One at a time is in the monitor. */
void threads_enter(void);
void threads_leave(void);

/* Leaves the monitor until somebody announces the event, or for no reason, and enters it again. */
void threads_wait(enum threads_event event);

/* Wakes one that waits for it. */
void threads_announce(enum threads_event event);

/*
 * Starts one of `count` threads; it has as large a stack as the main one, as far as all of them
 * together take no more than a quarter of the process's memory. It ends with the process.
 * Returns: NULL, or why it cannot be started.
 */
const char *threads_start(unsigned count, void (*run)(void *argument), void *argument);

/* A part of the memory this process may have to itself; SIZE_MAX when that has no limit. */
size_t threads_memory_part(unsigned parts);

/* The system's number of this thread. */
uint32_t threads_own_number(void);

#endif
