/*
 * Checks that end the test with one readable line.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_TEST_CHECK_H
#define BACKWORKS_TEST_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../shared/json.h"

/* A JSON text in a C file, without escapes: BACKWORKS_JSON({"priority": 10}). C++ has raw strings. */
#define BACKWORKS_JSON(...) #__VA_ARGS__

#if defined(__GNUC__)
#define BACKWORKS_TEST_FORMAT(text, values) __attribute__((noreturn, format(printf, text, values)))
#else
#define BACKWORKS_TEST_FORMAT(text, values)
#endif

/* Where a check stands. */
typedef struct BackworksTestPlace {
    const char *file;
    int line;
} BackworksTestPlace;

static inline BackworksTestPlace backworks_test_place(const char *file, int line) {
    BackworksTestPlace place;
    place.file = file;
    place.line = line;
    return place;
}

#define BACKWORKS_TEST_HERE backworks_test_place(__FILE__, __LINE__)

/* Ends the test. */
static BACKWORKS_UNUSED BACKWORKS_TEST_FORMAT(2,
                                              3) void backworks_test_fail(BackworksTestPlace place,
                                                                          const char *format, ...) {
    va_list values;
    va_start(values, format);
    (void)fflush(stdout);
    (void)fprintf(stderr, "%s:%d: ", place.file, place.line);
    (void)vfprintf(stderr, format, values);
    (void)fprintf(stderr, "\n");
    va_end(values);
    exit(1);
}

/* Ends the test unless the condition holds. Also with NDEBUG, unlike assert(). */
#define BACKWORKS_ASSERT(condition)                                                                \
    ((condition) ? (void)0                                                                         \
                 : backworks_test_fail(BACKWORKS_TEST_HERE, "this should hold: %s", #condition))

/* What a function of the plugin answered. Valid until BACKWORKS_TEST_STOP(). */
typedef struct BackworksTestAnswer {
    const char *function; /* "process_endpoint" */
    const char *text;     /* as the plugin wrote it; NULL when it returned NULL */
    yyjson_val *json;     /* the same as values of yyjson; NULL when it returned NULL */
    const char *failure;  /* what the plugin told fail(); NULL when the call did not fail */
} BackworksTestAnswer;

static BACKWORKS_UNUSED yyjson_doc *backworks_test_parse(BackworksTestPlace place, const char *what,
                                                         const char *text) {
    yyjson_read_err error;
    yyjson_doc *read = yyjson_read_opts((char *)(uintptr_t)text, strlen(text),
                                        YYJSON_READ_BIGNUM_AS_RAW, NULL, &error);
    if (read == NULL) {
        backworks_test_fail(place, "%s is not JSON: %s at byte %zu of %s", what, error.msg,
                            error.pos, text);
    }
    return read;
}

/* JSON text of a value; freed by the caller. */
static BACKWORKS_UNUSED char *backworks_test_text(const yyjson_val *value) {
    return value == NULL ? NULL : yyjson_val_write(value, YYJSON_WRITE_NOFLAG, NULL);
}

static BACKWORKS_UNUSED void backworks_test_expect(BackworksTestPlace place,
                                                   BackworksTestAnswer answer, const char *pointer,
                                                   const char *expected) {
    if (answer.failure != NULL) {
        backworks_test_fail(place, "%s failed: %s", answer.function, answer.failure);
    }
    yyjson_val *actual = answer.json == NULL ? NULL : yyjson_ptr_get(answer.json, pointer);
    yyjson_doc *wanted =
        expected == NULL ? NULL : backworks_test_parse(place, "the expected value", expected);
    yyjson_val *value = yyjson_doc_get_root(wanted);
    if (value == NULL ? actual != NULL : actual == NULL || !yyjson_equals(actual, value)) {
        char *text = backworks_test_text(actual);
        backworks_test_fail(place, "%s: %s is %s, expected %s; the answer was %s", answer.function,
                            *pointer == '\0' ? "the answer" : pointer,
                            text == NULL ? "absent" : text, expected == NULL ? "none" : expected,
                            answer.text == NULL ? "NULL" : answer.text);
    }
    yyjson_doc_free(wanted);
}

/*
 * A member of the answer has this value. `pointer` is a JSON pointer (RFC 6901), "" for the whole answer;
 * `expected` is JSON: BACKWORKS_EXPECT(answer, "/status", "201").
 */
#define BACKWORKS_EXPECT(answer, pointer, expected)                                                \
    backworks_test_expect(BACKWORKS_TEST_HERE, answer, pointer, expected)

/* The answer has no such member. */
#define BACKWORKS_EXPECT_ABSENT(answer, pointer)                                                   \
    backworks_test_expect(BACKWORKS_TEST_HERE, answer, pointer, NULL)

static BACKWORKS_UNUSED void backworks_test_expect_null(BackworksTestPlace place,
                                                        BackworksTestAnswer answer) {
    if (answer.failure != NULL) {
        backworks_test_fail(place, "%s failed: %s", answer.function, answer.failure);
    }
    if (answer.text != NULL) {
        backworks_test_fail(place, "%s answered %s, expected NULL", answer.function, answer.text);
    }
}

/* The function returned NULL, and did not fail: "unchanged", or "not for this plugin". */
#define BACKWORKS_EXPECT_NULL(answer) backworks_test_expect_null(BACKWORKS_TEST_HERE, answer)

static BACKWORKS_UNUSED void backworks_test_expect_failure(BackworksTestPlace place,
                                                           BackworksTestAnswer answer,
                                                           const char *part) {
    if (answer.failure == NULL) {
        backworks_test_fail(place, "%s answered %s, expected a failure with: %s", answer.function,
                            answer.text == NULL ? "NULL" : answer.text, part);
    }
    if (strstr(answer.failure, part) == NULL) {
        backworks_test_fail(place, "%s failed differently: %s; expected: %s", answer.function,
                            answer.failure, part);
    }
}

/* The call failed, with a message that contains `part`. */
#define BACKWORKS_EXPECT_FAILURE(answer, part)                                                     \
    backworks_test_expect_failure(BACKWORKS_TEST_HERE, answer, part)

#endif /* BACKWORKS_TEST_CHECK_H */
