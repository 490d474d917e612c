/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stddef.h>

#include "sandbox/refusals.h"

/* Further different refusals are not reported: a plugin with that many is probing the sandbox. */
enum { ENTRIES = 64, REPORT_AGAIN_FACTOR = 4 };

typedef struct Entry {
    _Atomic uint64_t key; /* 0: free, or still being written */
    _Atomic uint32_t times;
    _Atomic uint32_t due; /* number of times at which the refusal is reported next */
    uint32_t reported;    /* number of times reported so far */
    enum permission permission;
    const char *function;
    char object[REFUSAL_OBJECT_MAX + 1];
} Entry;

_Thread_local bool refusal_is_reported_by_function;

static Entry entries[ENTRIES];
static _Atomic uint32_t claimed;
static atomic_bool recording;
static atomic_bool pending;
static atomic_flag reading = ATOMIC_FLAG_INIT;

static uint64_t hash_text(uint64_t hash, const char *text) {
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

static uint64_t key_of(enum permission permission, const char *function, const char *object) {
    uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325) + (uint64_t)permission, function);

    hash = hash_text(hash, object);
    return hash != 0 ? hash : 1;
}

static Entry *find(uint64_t key) {
    for (size_t index = 0; index < ENTRIES; index++) {
        if (atomic_load_explicit(&entries[index].key, memory_order_acquire) == key)
            return &entries[index];
    }
    return NULL;
}

/* When two threads note the same refusal for the first time, there are two entries; that is harmless. */
static void add(uint64_t key, enum permission permission, const char *function,
                const char *object) {
    Entry *entry;
    uint32_t index;

    if (atomic_load_explicit(&claimed, memory_order_relaxed) >= ENTRIES)
        return;
    index = atomic_fetch_add(&claimed, 1);
    if (index >= ENTRIES)
        return;
    entry = &entries[index];
    entry->permission = permission;
    entry->function = function;
    for (size_t at = 0; at < REFUSAL_OBJECT_MAX && object[at] != '\0'; at++)
        entry->object[at] = object[at];
    atomic_store(&entry->times, 1);
    atomic_store(&entry->due, 1);
    atomic_store_explicit(&entry->key, key, memory_order_release);
    atomic_store(&pending, true);
}

void refusals_begin(void) {
    atomic_store(&recording, true);
}

bool refusals_are_recorded(void) {
    return atomic_load_explicit(&recording, memory_order_relaxed);
}

void refusals_note(enum permission permission, const char *function, const char *object) {
    uint64_t key;
    Entry *entry;

    if (!refusals_are_recorded())
        return;
    key = key_of(permission, function, object);
    entry = find(key);
    if (entry == NULL)
        add(key, permission, function, object);
    else if (atomic_fetch_add(&entry->times, 1) + 1 >= atomic_load(&entry->due))
        atomic_store(&pending, true);
}

void refusals_note_number(enum permission permission, const char *function, long number) {
    char digits[24];
    char *at = digits + sizeof digits;

    *--at = '\0';
    for (; number > 0; number /= 10)
        *--at = (char)('0' + number % 10);
    refusals_note(permission, function, at);
}

static bool next(Refusal *refusal) {
    atomic_store(&pending, false);
    for (size_t index = 0; index < ENTRIES; index++) {
        Entry *entry = &entries[index];
        uint32_t times;

        if (atomic_load_explicit(&entry->key, memory_order_acquire) == 0)
            continue;
        times = atomic_load(&entry->times);
        if (times < atomic_load(&entry->due))
            continue;
        *refusal =
            (Refusal){entry->permission, entry->function, entry->object, times - entry->reported};
        entry->reported = times;
        atomic_store(&entry->due, times > UINT32_MAX / REPORT_AGAIN_FACTOR
                                      ? UINT32_MAX
                                      : times * REPORT_AGAIN_FACTOR);
        /* Other entries may be due as well. */
        atomic_store(&pending, true);
        return true;
    }
    return false;
}

bool refusals_next(Refusal *refusal) {
    bool found;

    if (!atomic_load_explicit(&pending, memory_order_relaxed) || atomic_flag_test_and_set(&reading))
        return false;
    found = next(refusal);
    atomic_flag_clear(&reading);
    return found;
}
