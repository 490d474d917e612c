/*
 * Applies any answer of before_request to a request document with any headers. The runner must touch no other
 * memory, and documents that it makes must be valid JSON of the expected form.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../../src/runner/json/json_check.h"
#include "../../../src/runner/protocol.h"
#include "../../../src/runner/serve/request_patch.h"
#include "in_memory.h"

static const char before[] = "{\"id\":\"1\",\"query\":{},\"headers\":";
static const char after[] =
    ",\"remote\":null,\"context\":{},\"body_encoding\":\"text\",\"body\":null}";
static const char head[] = "{\"status\":200,\"headers\":{},\"context\":{},\"request\":{},\"body\":";

/* Memory of exactly this size, so that the sanitizer sees a read of any other byte. */
static char *copy(const void *bytes, size_t size) {
    char *text = malloc(size);

    if (size > 0)
        memcpy(text, bytes, size);
    return text;
}

static char *request_with(const char *headers, size_t length) {
    char *request = malloc(sizeof before + length + sizeof after);

    memcpy(request, before, sizeof before - 1);
    memcpy(request + sizeof before - 1, headers, length);
    memcpy(request + sizeof before - 1 + length, after, sizeof after);
    return request;
}

static void check_documents(const char *request, const PatchedDocuments *patched) {
    size_t length = strlen(patched->response_head);
    char *response = malloc(length + 2);

    if ((json_check(patched->request, strlen(patched->request), JSON_DEPTH_MAX + 1) & JSON_VALID) ==
        0)
        fuzz_fail("a patched request is not JSON");
    if (strncmp(patched->request, request, sizeof before - 1) != 0)
        fuzz_fail("a patch changed what precedes the headers");
    memcpy(response, patched->response_head, length);
    memcpy(response + length, "0}", 2);
    if ((json_check(response, length + 2, JSON_DEPTH_MAX + 1) & JSON_VALID) == 0)
        fuzz_fail("a patched response is not JSON");
    free(response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
    size_t length = nul != NULL ? (size_t)(nul - data) : size;
    size_t rest = nul != NULL ? size - length - 1 : 0;
    const char *headers = nul != NULL ? (const char *)nul + 1 : "";
    bool is_document = rest > 0 && *headers == '{' && memchr(headers, 0, rest) == NULL &&
                       (json_check(headers, rest, 1) & JSON_VALID) != 0;
    char *patch = copy(data, length);
    char *request = is_document ? request_with(headers, rest) : request_with("{}", 2);
    PatchedDocuments patched = {NULL, NULL};

    if (request_patch(patch, length, request, head, &patched))
        check_documents(request, &patched);
    free(patched.request);
    free(patched.response_head);
    free(request);
    free(patch);
    return 0;
}
