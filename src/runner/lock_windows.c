/* SPDX-License-Identifier: MIT */
#include <windows.h>

#include "lock.h"

static SRWLOCK mutex = SRWLOCK_INIT;

void lock_acquire(void) {
    AcquireSRWLockExclusive(&mutex);
}

void lock_release(void) {
    ReleaseSRWLockExclusive(&mutex);
}
