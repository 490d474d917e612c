/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "frames/own_call.h"

_Thread_local OwnCall own_call;

static SharedPage *page;

void own_call_open(SharedPage *shared) {
    page = shared;
    /* When a call runs exit(), this runs on the thread of that call. */
    (void)atexit(own_call_record_end);
}

void own_call_record_end(void) {
    uint32_t nobody = 0;

    if (page != NULL && own_call.id != 0)
        (void)atomic_compare_exchange_strong(&page->ended_by, &nobody, own_call.id);
}
