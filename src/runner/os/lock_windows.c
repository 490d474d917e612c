/* SPDX-License-Identifier: MIT */
#include <windows.h>

#include "os/lock.h"

static SRWLOCK mutex = SRWLOCK_INIT;

void lock_acquire(void) {
    AcquireSRWLockExclusive(&mutex);
}

bool lock_try(int milliseconds) {
    while (!TryAcquireSRWLockExclusive(&mutex)) {
        if (milliseconds-- <= 0)
            return false;
        Sleep(1);
    }
    return true;
}

void lock_release(void) {
    ReleaseSRWLockExclusive(&mutex);
}
