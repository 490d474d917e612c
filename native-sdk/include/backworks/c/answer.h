/*
 * What a hook answers with: a response, or changes. A hook that does neither leaves everything as it is.
 * Texts that are passed here need to live until the hook returns.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_C_ANSWER_H
#define BACKWORKS_C_ANSWER_H

#include "../shared/base64.h"
#include "call.h"

/*
 * Where the JSON that the plugin makes lives: pass it to yyjson_mut_obj(), yyjson_mut_obj_add_str() and
 * the other functions of yyjson.h whose names begin with yyjson_mut.
 */
static BACKWORKS_UNUSED yyjson_mut_doc *backworks_json(BackworksCall *call) {
    if (call->json == NULL) {
        call->json = yyjson_mut_doc_new(&call->memory);
    }
    return call->json;
}

/* Sets a member of an object, in place of an earlier one. Names and texts are not copied. */
static BACKWORKS_UNUSED void backworks_put(BackworksCall *call, yyjson_mut_val *object,
                                           const char *name, yyjson_mut_val *value) {
    yyjson_mut_obj_put(object, yyjson_mut_str(backworks_json(call), name), value);
}

/* The object `name` in `parent`, made when it is not there. */
static BACKWORKS_UNUSED yyjson_mut_val *
backworks_object_in(BackworksCall *call, yyjson_mut_val *parent, const char *name) {
    yyjson_mut_val *object = yyjson_mut_obj_get(parent, name);
    if (object == NULL) {
        object = yyjson_mut_obj_add_obj(backworks_json(call), parent, name);
    }
    return object;
}

/* The server's documents have header names in lower case. */
static BACKWORKS_UNUSED const char *backworks_lower(BackworksCall *call, const char *name) {
    size_t size = strlen(name) + 1;
    char *lower = (char *)backworks_alloc(call, size);
    for (size_t i = 0; i < size; i++) {
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
    }
    return lower;
}

static BACKWORKS_UNUSED void backworks_set_body(BackworksCall *call, yyjson_mut_val *document,
                                                const char *encoding, yyjson_mut_val *body) {
    if (body == NULL) {
        backworks_leave(call, "the body is NULL");
    }
    backworks_put(call, document, "body_encoding", yyjson_mut_str(backworks_json(call), encoding));
    backworks_put(call, document, "body", body);
}

static BACKWORKS_UNUSED yyjson_mut_val *backworks_base64(BackworksCall *call, const void *data,
                                                         size_t size) {
    size_t length = backworks_base64_size(size);
    char *text = (char *)backworks_alloc(call, length);
    backworks_base64_encode(data, size, text);
    return yyjson_mut_strn(backworks_json(call), text, length);
}

/* ---- Responses: process_endpoint, and before_request, which then answers in place of the endpoint. ---- */

/* The headers of the response that a function below has made. */
static BACKWORKS_UNUSED yyjson_mut_val *backworks_response_headers(BackworksCall *call) {
    if (call->response == NULL) {
        backworks_leave(call, "a header was set before there was a response");
    }
    return backworks_object_in(call, call->response, "headers");
}

/* Sets a header of the response. A response function comes first. */
static BACKWORKS_UNUSED void backworks_response_header(BackworksCall *call, const char *name,
                                                       const char *value) {
    backworks_put(call, backworks_response_headers(call), backworks_lower(call, name),
                  yyjson_mut_str(backworks_json(call), value));
}

/* Adds a cookie to the response: the value of a set-cookie header. */
static BACKWORKS_UNUSED void backworks_response_cookie(BackworksCall *call, const char *cookie) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *headers = backworks_response_headers(call);
    yyjson_mut_val *cookies = yyjson_mut_obj_get(headers, "set-cookie");
    if (cookies == NULL) {
        cookies = yyjson_mut_obj_add_arr(json, headers, "set-cookie");
    }
    yyjson_mut_arr_add_str(json, cookies, cookie);
}

static BACKWORKS_UNUSED void backworks_respond(BackworksCall *call, int status,
                                               const char *encoding, yyjson_mut_val *body) {
    yyjson_mut_doc *json = backworks_json(call);
    call->response = yyjson_mut_obj(json);
    backworks_put(call, call->response, "status", yyjson_mut_int(json, status));
    backworks_set_body(call, call->response, encoding, body);
}

/* Responds without a body, for instance with a 204. */
static BACKWORKS_UNUSED void backworks_respond_empty(BackworksCall *call, int status) {
    backworks_respond(call, status, "text", yyjson_mut_null(backworks_json(call)));
}

/* Responds with JSON that was made with backworks_json(call). */
static BACKWORKS_UNUSED void backworks_respond_json(BackworksCall *call, int status,
                                                    yyjson_mut_val *body) {
    backworks_respond(call, status, "json", body);
}

/* Responds with plain text. */
static BACKWORKS_UNUSED void backworks_respond_text(BackworksCall *call, int status,
                                                    const char *text) {
    backworks_respond(call, status, "text", yyjson_mut_str(backworks_json(call), text));
    backworks_response_header(call, "content-type", "text/plain; charset=utf-8");
}

/* Responds with bytes. */
static BACKWORKS_UNUSED void backworks_respond_bytes(BackworksCall *call, int status,
                                                     const char *content_type, const void *data,
                                                     size_t size) {
    backworks_respond(call, status, "base64", backworks_base64(call, data, size));
    backworks_response_header(call, "content-type", content_type);
}

/* Responds with a problem document (RFC 9457). `detail` may be NULL. */
static BACKWORKS_UNUSED void backworks_respond_problem(BackworksCall *call, int status,
                                                       const char *title, const char *detail) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *body = yyjson_mut_obj(json);
    yyjson_mut_obj_add_str(json, body, "type", "about:blank");
    yyjson_mut_obj_add_str(json, body, "title", title);
    yyjson_mut_obj_add_int(json, body, "status", status);
    if (detail != NULL) {
        yyjson_mut_obj_add_str(json, body, "detail", detail);
    }
    backworks_respond(call, status, "json", body);
    backworks_response_header(call, "content-type", "application/problem+json");
}

/* ---- Changes: before_request changes the request, after_response the response. Whatever is not named stays
 * as it is, digit for digit. ------------------------------------------------------------------------- */

static BACKWORKS_UNUSED yyjson_mut_val *backworks_patch(BackworksCall *call) {
    if (call->patch == NULL) {
        call->patch = yyjson_mut_obj(backworks_json(call));
    }
    return call->patch;
}

/* Sets any member of the document. An object is merged into the object that is there. */
static BACKWORKS_UNUSED void backworks_change(BackworksCall *call, const char *name,
                                              yyjson_mut_val *value) {
    backworks_put(call, backworks_patch(call), name, value);
}

static BACKWORKS_UNUSED void backworks_change_in(BackworksCall *call, const char *member,
                                                 const char *name, yyjson_mut_val *value) {
    backworks_put(call, backworks_object_in(call, backworks_patch(call), member), name, value);
}

/* NULL becomes null, which removes a member. */
static BACKWORKS_UNUSED yyjson_mut_val *backworks_text_or_null(BackworksCall *call,
                                                               const char *text) {
    yyjson_mut_doc *json = backworks_json(call);
    return text == NULL ? yyjson_mut_null(json) : yyjson_mut_str(json, text);
}

/* Sets a header, or removes it: `value` is NULL. */
static BACKWORKS_UNUSED void backworks_change_header(BackworksCall *call, const char *name,
                                                     const char *value) {
    backworks_change_in(call, "headers", backworks_lower(call, name),
                        backworks_text_or_null(call, value));
}

/* Sets a name of the query, or removes it: `value` is NULL. Of requests only. */
static BACKWORKS_UNUSED void backworks_change_query(BackworksCall *call, const char *name,
                                                    const char *value) {
    backworks_change_in(call, "query", name, backworks_text_or_null(call, value));
}

/* Sets the path, percent-encoded. Of requests only. */
static BACKWORKS_UNUSED void backworks_change_path(BackworksCall *call, const char *path) {
    backworks_change(call, "path", yyjson_mut_str(backworks_json(call), path));
}

/* Sets the method. Of requests only. */
static BACKWORKS_UNUSED void backworks_change_method(BackworksCall *call, const char *method) {
    backworks_change(call, "method", yyjson_mut_str(backworks_json(call), method));
}

/* Sets the status. Of responses only. */
static BACKWORKS_UNUSED void backworks_change_status(BackworksCall *call, int status) {
    backworks_change(call, "status", yyjson_mut_int(backworks_json(call), status));
}

/* Leaves a value for later hooks of the same request. */
static BACKWORKS_UNUSED void backworks_change_context(BackworksCall *call, const char *name,
                                                      yyjson_mut_val *value) {
    backworks_change_in(call, "context", name, value);
}

/* Merges JSON into the body, which must be JSON: members that `value` does not name stay as they are. */
static BACKWORKS_UNUSED void backworks_change_body_json(BackworksCall *call,
                                                        yyjson_mut_val *value) {
    backworks_set_body(call, backworks_patch(call), "json", value);
}

/* Replaces the body by text. */
static BACKWORKS_UNUSED void backworks_change_body_text(BackworksCall *call, const char *text) {
    yyjson_mut_val *body = yyjson_mut_str(backworks_json(call), text);
    backworks_set_body(call, backworks_patch(call), "text", body);
}

/* Replaces the body by bytes. */
static BACKWORKS_UNUSED void backworks_change_body_bytes(BackworksCall *call, const void *data,
                                                         size_t size) {
    backworks_set_body(call, backworks_patch(call), "base64", backworks_base64(call, data, size));
}

/* ---- Operations --------------------------------------------------------------------------------------- */

/* The result of an operation. Without one, the operation is unknown or has no result. */
static BACKWORKS_UNUSED void backworks_return(BackworksCall *call, yyjson_mut_val *result) {
    call->result = result;
}

#endif /* BACKWORKS_C_ANSWER_H */
