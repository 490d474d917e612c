/*
 * Exports the JSON check as a library that the server loads, to check texts itself instead of trusting
 * the runner.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>

#include "json/json_check.h"

#ifdef _WIN32
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

EXPORTED uint32_t backworks_json_check(const void *text, size_t length, uint32_t depth_max);

uint32_t backworks_json_check(const void *text, size_t length, uint32_t depth_max) {
    return json_check(text, length, depth_max);
}

/* table: receives the number of members, then six numbers each; it has room for `capacity` members */
EXPORTED uint32_t backworks_json_members(const void *text, size_t length, uint32_t depth_max,
                                         uint32_t levels, uint32_t *table, uint32_t capacity);

uint32_t backworks_json_members(const void *text, size_t length, uint32_t depth_max,
                                uint32_t levels, uint32_t *table, uint32_t capacity) {
    return json_members(text, length, depth_max, levels, (JsonMember *)(void *)(table + 1),
                        capacity, table);
}
