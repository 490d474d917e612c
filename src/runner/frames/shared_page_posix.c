/* SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frames/shared_page.h"

_Static_assert(offsetof(SharedPage, log_rate) == SHARED_LOG_RATE, "the server writes this layout");
_Static_assert(offsetof(SharedPage, ended_by) == SHARED_ENDED_BY, "the server reads this layout");
_Static_assert(offsetof(SharedPage, running) == SHARED_RUNNING, "the server reads this layout");
_Static_assert(sizeof(RunningSlot) == RUNNING_SLOT_SIZE, "the server reads this layout");
_Static_assert(offsetof(SharedPage, cancelled) == SHARED_CANCELLED, "the server reads this layout");
_Static_assert(offsetof(SharedPage, ring) == SHARED_RING, "the server reads this layout");
_Static_assert(sizeof(SharedPage) == SHARED_SIZE, "the server reads this layout");

SharedPage *shared_page_map(void) {
    static SharedPage alone;
    struct stat file;
    void *page;

    /* In a runner started by hand, descriptor 4 may be anything or closed. */
    if (fstat(SHARED_DESCRIPTOR, &file) != 0 || !S_ISREG(file.st_mode) ||
        file.st_size != SHARED_SIZE)
        return &alone;
    page = mmap(NULL, SHARED_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, SHARED_DESCRIPTOR, 0);
    (void)close(SHARED_DESCRIPTOR);
    if (page == MAP_FAILED)
        _Exit(RUNNER_EXIT_NO_MEMORY);
    return page;
}
