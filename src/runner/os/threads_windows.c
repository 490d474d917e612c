/*
 * Calls run one after another: while the serving thread waits for a frame, another thread cannot write
 * to the pipe (see channel_windows.c).
 *
 * SPDX-License-Identifier: MIT
 */
#include "os/threads.h"

void threads_enter(void) {
}

void threads_leave(void) {
}

void threads_wait(enum threads_event event) {
    (void)event;
}

void threads_announce(enum threads_event event) {
    (void)event;
}

const char *threads_start(unsigned count, void (*run)(void *argument), void *argument) {
    (void)count;
    (void)run;
    (void)argument;
    return "this system runs calls one after another";
}

size_t threads_memory_part(unsigned parts) {
    (void)parts;
    return SIZE_MAX;
}

uint32_t threads_own_number(void) {
    return 0;
}
