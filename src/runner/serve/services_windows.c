/* SPDX-License-Identifier: MIT */
#include "serve/services.h"

void services_prepare(void) {
}

bool services_are_offered(void) {
    return false;
}

const char *services_ask(uint8_t type, const Span *spans, size_t count) {
    (void)type;
    (void)spans;
    (void)count;
    return NULL;
}
