/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "os/parent_death.h"

bool parent_death_arm(long parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return false;
    /* A parent that died before prctl() sends no signal, but getppid() shows another parent by now. */
    return parent == 0 || getppid() == (pid_t)parent;
}
