/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/event.h>
#include <sys/types.h>
#include <unistd.h>

#include "os/parent_death.h"

static void *wait_for_exit(void *queue) {
    struct kevent event;
    int result;

    do {
        result = kevent((int)(intptr_t)queue, NULL, 0, &event, 1, NULL);
    } while (result < 0 && errno == EINTR);
    /* SIGKILL, because a plugin may handle every other signal. */
    (void)kill(getpid(), SIGKILL);
    return NULL;
}

bool parent_death_arm(long parent) {
    pid_t watched = parent == 0 ? getppid() : (pid_t)parent;
    struct kevent change;
    pthread_t thread;
    int queue = kqueue();

    if (queue < 0)
        return false;
    EV_SET(&change, (uintptr_t)watched, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, NULL);
    if (kevent(queue, &change, 1, NULL, 0, NULL) != 0)
        return false;
    if (pthread_create(&thread, NULL, wait_for_exit, (void *)(intptr_t)queue) != 0)
        return false;
    (void)pthread_detach(thread);
    /* The id may have been reused for another process. The id of this process's parent cannot be. */
    return getppid() == watched;
}
