/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdint.h>

#include "refused_calls.h"

enum { WORDS = 8, BITS = 64 };

/* A bit for each number: noted at all, and told to the reader. */
static _Atomic uint64_t noted[WORDS];
static uint64_t found[WORDS];
static _Atomic bool news;

void refused_calls_note(int number) {
    uint64_t bit = UINT64_C(1) << (number % BITS);

    if (number < 0 || number >= WORDS * BITS)
        return;
    if ((atomic_fetch_or(&noted[number / BITS], bit) & bit) == 0)
        atomic_store(&news, true);
}

bool refused_calls_next(int *number) {
    if (!atomic_load_explicit(&news, memory_order_relaxed))
        return false;
    atomic_store(&news, false);
    for (int word = 0; word < WORDS; word++) {
        uint64_t fresh = atomic_load(&noted[word]) & ~found[word];

        for (int bit = 0; bit < BITS && fresh != 0; bit++) {
            if ((fresh >> bit & 1) == 0)
                continue;
            found[word] |= UINT64_C(1) << bit;
            /* There may be more. */
            atomic_store(&news, true);
            *number = word * BITS + bit;
            return true;
        }
    }
    return false;
}
