/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <pthread.h>
#include <stddef.h>

#include "os/lock.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void lock_acquire(void) {
    (void)pthread_mutex_lock(&mutex);
}

/* Async-signal-safe in practice: in every known C library, trylock is one compare-and-exchange. */
bool lock_try(int milliseconds) {
    while (pthread_mutex_trylock(&mutex) != 0) {
        if (milliseconds-- <= 0)
            return false;
        (void)poll(NULL, 0, 1);
    }
    return true;
}

void lock_release(void) {
    (void)pthread_mutex_unlock(&mutex);
}
