/*
 * Checks any text. The check must read no other memory, and must give the same facts when the text is
 * surrounded by spaces or nested in another text. run.mjs compares the texts in the corpus with JSON.parse().
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/json/json_check.h"
#include "in_memory.h"

enum { DEPTH_MAX = 8 };

/* Memory of exactly this size, so that the sanitizer sees a read of any other byte. */
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

/* Fewer members than a text may have, so that the sanitizer sees a write beyond the list. */
enum { MEMBERS_MAX = 16 };

/* Checks the position of a listed member: its quotes, its value, and the members inside. */
static void check_member(const char *text, size_t size, const JsonMember *member, uint32_t index,
                         uint32_t count) {
    if (member->name == 0 || member->name > member->name_end || member->name_end >= member->value ||
        member->value >= member->value_end || member->value_end > size)
        fuzz_fail("the positions of a member are out of order");
    if (text[member->name - 1] != '"' || text[member->name_end] != '"')
        fuzz_fail("the name of a member has no quotes");
    if (member->after <= index || member->after > count)
        fuzz_fail("the position after a member is not in the list");
    if (check("", (const uint8_t *)text + member->value, member->value_end - member->value, "",
              DEPTH_MAX) == 0)
        fuzz_fail("the value of a member is not valid JSON");
}

/* Lists the members of a text. Checks their positions, and that listing does not change the facts. */
static void list(const uint8_t *data, size_t size, unsigned levels, unsigned facts) {
    JsonMember *members = malloc(MEMBERS_MAX * sizeof *members);
    char *text = malloc(size);
    uint32_t count;

    if (size > 0)
        memcpy(text, data, size);
    if (json_members(text, size, DEPTH_MAX, levels, members, MEMBERS_MAX, &count) != facts)
        fuzz_fail("listing the members changes the facts");
    for (uint32_t index = 0; index < count && index < MEMBERS_MAX; index++)
        check_member(text, size, &members[index], index, count);
    free(text);
    free(members);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned facts = check("", data, size, "", DEPTH_MAX);
    unsigned inside = facts & ~(unsigned)(JSON_HAS_STATUS | JSON_HAS_BODY);

    list(data, size, 1, facts);
    list(data, size, DEPTH_MAX, facts);
    if (check(" \n\t\r        ", data, size, "          ", DEPTH_MAX) != facts)
        fuzz_fail("spaces around the text change the facts");
    if ((facts & JSON_VALID) == 0)
        return 0;
    if (check("[0,\"a\",", data, size, ",{}]", DEPTH_MAX + 1) != inside)
        fuzz_fail("an array around the text changes the facts");
    if (check("{\"\\u0062ody\":", data, size, "}", DEPTH_MAX + 1) != (inside | JSON_HAS_BODY))
        fuzz_fail("an object around the text changes the facts");
    return 0;
}
