/*
 * A text that may be anything: reading it touches nothing else, and what is said of it is said of
 * it between spaces and within others too. run.mjs asks JSON.parse() about what is worth keeping.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/json/json_check.h"
#include "in_memory.h"

enum { DEPTH_MAX = 8 };

/* Memory of exactly this size, so that the sanitizer sees any other byte being read. */
static unsigned check(const char *before, const uint8_t *data, size_t size, const char *after,
                      unsigned depth_max) {
    size_t ahead = strlen(before);
    size_t length = ahead + size + strlen(after);
    char *text = malloc(length);
    unsigned facts;

    memcpy(text, before, ahead);
    memcpy(text + ahead, data, size);
    memcpy(text + ahead + size, after, strlen(after));
    facts = json_check(text, length, depth_max);
    free(text);
    return facts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned facts = check("", data, size, "", DEPTH_MAX);
    unsigned inside = facts & ~(unsigned)(JSON_HAS_STATUS | JSON_HAS_BODY);

    if (check(" \n\t\r        ", data, size, "          ", DEPTH_MAX) != facts)
        fuzz_fail("spaces make a difference");
    if ((facts & JSON_VALID) == 0)
        return 0;
    if (check("[0,\"a\",", data, size, ",{}]", DEPTH_MAX + 1) != inside)
        fuzz_fail("an array makes a difference");
    if (check("{\"\\u0062ody\":", data, size, "}", DEPTH_MAX + 1) != (inside | JSON_HAS_BODY))
        fuzz_fail("an object makes a difference");
    return 0;
}
