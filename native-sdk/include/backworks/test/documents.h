/*
 * Request and response documents, from the members that a test names.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_TEST_DOCUMENTS_H
#define BACKWORKS_TEST_DOCUMENTS_H

#include "host.h"

/* The defaults and the members that a test gave, as one object. */
static BACKWORKS_UNUSED yyjson_mut_val *
backworks_test_members(BackworksTestPlace place, const char *defaults, const char *members) {
    yyjson_mut_doc *memory = backworks_test_records()->memory;
    yyjson_doc *base = yyjson_read(defaults, strlen(defaults), YYJSON_READ_NOFLAG);
    yyjson_doc *given = backworks_test_parse(place, "the document", members);
    yyjson_val *root = yyjson_doc_get_root(given);
    if (!yyjson_is_obj(root)) {
        backworks_test_fail(place, "the document is not an object: %s", members);
    }
    yyjson_mut_val *all = yyjson_val_mut_copy(memory, yyjson_doc_get_root(base));
    size_t index, count;
    yyjson_val *name, *value;
    yyjson_obj_foreach(root, index, count, name, value) {
        yyjson_mut_obj_put(all, yyjson_val_mut_copy(memory, name),
                           yyjson_val_mut_copy(memory, value));
    }
    yyjson_doc_free(base);
    yyjson_doc_free(given);
    return all;
}

static BACKWORKS_UNUSED void backworks_test_default(yyjson_mut_val *object, const char *name,
                                                    const char *value) {
    yyjson_mut_doc *memory = backworks_test_records()->memory;
    if (yyjson_mut_obj_get(object, name) == NULL) {
        yyjson_mut_obj_put(object, yyjson_mut_strcpy(memory, name),
                           yyjson_mut_strcpy(memory, value));
    }
}

/* A string is a text and any other body is JSON, unless the test says how the body is encoded. */
static BACKWORKS_UNUSED const char *backworks_test_written(yyjson_mut_val *document) {
    yyjson_mut_doc *memory = backworks_test_records()->memory;
    yyjson_mut_val *body = yyjson_mut_obj_get(document, "body");
    bool is_text = body == NULL || yyjson_mut_is_str(body) || yyjson_mut_is_null(body);
    backworks_test_default(document, "body_encoding", is_text ? "text" : "json");
    if (body == NULL) {
        yyjson_mut_obj_put(document, yyjson_mut_str(memory, "body"), yyjson_mut_null(memory));
    } else {
        const char *encoding = yyjson_mut_get_str(yyjson_mut_obj_get(document, "body_encoding"));
        bool is_json = encoding != NULL && strcmp(encoding, "json") == 0;
        bool is_bytes = encoding != NULL && strcmp(encoding, "base64") == 0;
        backworks_test_default(yyjson_mut_obj_get(document, "headers"), "content-type",
                               is_json    ? "application/json"
                               : is_bytes ? "application/octet-stream"
                                          : "text/plain; charset=utf-8");
    }
    char *text = yyjson_mut_val_write(document, YYJSON_WRITE_NOFLAG, NULL);
    const char *kept = yyjson_mut_get_str(backworks_test_string(text));
    free(text);
    return kept;
}

static BACKWORKS_UNUSED const char *backworks_test_request_at(BackworksTestPlace place,
                                                              const char *members) {
    yyjson_mut_val *document =
        backworks_test_members(place,
                               "{\"id\":\"test\",\"params\":{},\"query\":{},\"headers\":{},"
                               "\"remote\":{\"address\":\"127.0.0.1\",\"port\":50000},"
                               "\"context\":{}}",
                               members);
    bool has_body = yyjson_mut_obj_get(document, "body") != NULL;
    backworks_test_default(document, "method", has_body ? "POST" : "GET");
    backworks_test_default(document, "path", "/");
    const char *path = yyjson_mut_get_str(yyjson_mut_obj_get(document, "path"));
    backworks_test_default(document, "route", path == NULL ? "/" : path);
    return backworks_test_written(document);
}

/*
 * A request document with the members that the test needs, a JSON object. Everything has a default: GET, or
 * POST with a body; the path "/", which is the route as well; empty params, query, headers and context. A
 * string as body is text, any other value is JSON. Valid until BACKWORKS_TEST_STOP().
 */
#define backworks_test_request(members) backworks_test_request_at(BACKWORKS_TEST_HERE, members)

static BACKWORKS_UNUSED const char *backworks_test_response_at(BackworksTestPlace place,
                                                               const char *members) {
    return backworks_test_written(
        backworks_test_members(place,
                               "{\"status\":200,\"headers\":{},\"context\":{},\"request\":{\"id\":"
                               "\"test\",\"method\":\"GET\",\"path\":\"/\",\"route\":\"/\"}}",
                               members));
}

/* A response document, in the same way. Default: a 200 without a body that answers GET /. */
#define backworks_test_response(members) backworks_test_response_at(BACKWORKS_TEST_HERE, members)

#endif /* BACKWORKS_TEST_DOCUMENTS_H */
