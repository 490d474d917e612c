/*
 * The one function of a library that the server loads, for texts that came through no runner.
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
