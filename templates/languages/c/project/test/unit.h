/* Runs hooks of the plugin as the server does: JSON documents in, JSON documents out. */
#ifndef UNIT_H
#define UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backworks_plugin.h"

/* Ends the test with the line of the check that failed. */
#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

static inline void check(int holds, const char *condition, const char *file, int line) {
    if (holds) {
        return;
    }
    fprintf(stderr, "%s:%d: this should hold: %s\n", file, line, condition);
    exit(1);
}

static inline int contains(const char *text, const char *part) {
    return text != NULL && strstr(text, part) != NULL;
}

/* A request document with the members that the tests need. */
#define REQUEST(params, headers, encoding, body)                                                   \
    "{\"id\":\"test\",\"method\":\"POST\",\"path\":\"/test\",\"route\":null,\"params\":" params    \
    ",\"query\":{},\"headers\":" headers                                                           \
    ",\"remote\":null,\"context\":{},\"body_encoding\":\"" encoding "\",\"body\":" body "}"

/* A response document with a JSON body. */
#define RESPONSE(body)                                                                             \
    "{\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"context\":{},"          \
    "\"request\":{\"id\":\"test\",\"method\":\"GET\",\"path\":\"/test\",\"route\":null},"          \
    "\"body_encoding\":\"json\",\"body\":" body "}"

#endif
