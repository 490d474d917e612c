/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>

#include "lock.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void lock_acquire(void) {
    (void)pthread_mutex_lock(&mutex);
}

void lock_release(void) {
    (void)pthread_mutex_unlock(&mutex);
}
