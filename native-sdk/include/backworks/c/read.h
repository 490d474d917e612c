/*
 * Reading JSON, and the documents of the server. Texts and values are valid until the call is over.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_C_READ_H
#define BACKWORKS_C_READ_H

#include "../shared/base64.h"
#include "call.h"

/* Bytes that end with a NUL which is not counted. */
typedef struct BackworksBytes {
    const uint8_t *data;
    size_t size;
} BackworksBytes;

/*
 * Reads JSON. NULL when the text is not JSON, or nested deeper than 512 levels. Values are yyjson's: see
 * yyjson_obj_get(), yyjson_arr_foreach(), yyjson_get_sint() and the rest of yyjson.h. Numbers that fit into no
 * C type are kept as text: yyjson_get_raw().
 */
static BACKWORKS_UNUSED yyjson_val *backworks_json_read(BackworksCall *call, const char *text,
                                                        size_t size) {
    if (text == NULL) {
        return NULL;
    }
    yyjson_doc *document = yyjson_read_opts((char *)(uintptr_t)text, size,
                                            YYJSON_READ_BIGNUM_AS_RAW, &call->memory, NULL);
    return yyjson_doc_get_root(document);
}

/* A member of the request or response document, such as "headers". NULL without it. */
static BACKWORKS_UNUSED yyjson_val *backworks_member(BackworksCall *call, const char *name) {
    return backworks_document_value(&call->document, name);
}

/* The first text that a member of `object` has; NULL when there is none. */
static BACKWORKS_UNUSED const char *backworks_first_text(yyjson_val *object, const char *name) {
    yyjson_val *value = backworks_get(object, name);
    return yyjson_get_str(yyjson_is_arr(value) ? yyjson_arr_get_first(value) : value);
}

/* Number of the request, as in the server's log. */
static BACKWORKS_UNUSED const char *backworks_id(BackworksCall *call) {
    return yyjson_get_str(backworks_member(call, "id"));
}

/* HTTP method, in upper case. */
static BACKWORKS_UNUSED const char *backworks_method(BackworksCall *call) {
    return yyjson_get_str(backworks_member(call, "method"));
}

/* Path as sent: percent-encoded, without the query. */
static BACKWORKS_UNUSED const char *backworks_path(BackworksCall *call) {
    return yyjson_get_str(backworks_member(call, "path"));
}

/* Path of the endpoint that matched, such as "/weather/{city}". NULL when none did. */
static BACKWORKS_UNUSED const char *backworks_route(BackworksCall *call) {
    return yyjson_get_str(backworks_member(call, "route"));
}

/* IP address of the client. NULL when the request did not come over a socket. */
static BACKWORKS_UNUSED const char *backworks_remote_address(BackworksCall *call) {
    return yyjson_get_str(backworks_get(backworks_member(call, "remote"), "address"));
}

/* What a placeholder of the route stands for, decoded. NULL without it. */
static BACKWORKS_UNUSED const char *backworks_param(BackworksCall *call, const char *name) {
    return backworks_first_text(backworks_member(call, "params"), name);
}

/* The first value of a name in the query, decoded. NULL without it. */
static BACKWORKS_UNUSED const char *backworks_query(BackworksCall *call, const char *name) {
    return backworks_first_text(backworks_member(call, "query"), name);
}

/* The first value of a header; `name` is in lower case. NULL without it. */
static BACKWORKS_UNUSED const char *backworks_header(BackworksCall *call, const char *name) {
    return backworks_first_text(backworks_member(call, "headers"), name);
}

/* What another plugin left in the context of the request. NULL without it. */
static BACKWORKS_UNUSED yyjson_val *backworks_context(BackworksCall *call, const char *name) {
    return backworks_get(backworks_member(call, "context"), name);
}

/* HTTP status. Of responses only. */
static BACKWORKS_UNUSED int backworks_status(BackworksCall *call) {
    return yyjson_get_int(backworks_member(call, "status"));
}

/* How the document writes the body: "json", "text" or "base64". */
static BACKWORKS_UNUSED const char *backworks_body_encoding(BackworksCall *call) {
    const char *encoding = yyjson_get_str(backworks_member(call, "body_encoding"));
    return encoding == NULL ? "text" : encoding;
}

/* The bytes of the body. JSON is as it was sent, digit for digit. No bytes without a body. */
static BACKWORKS_UNUSED BackworksBytes backworks_body(BackworksCall *call) {
    const char *encoding = backworks_body_encoding(call);
    BackworksSlice body = backworks_document_text(&call->document, "body");
    if (body.at != NULL && strcmp(encoding, "json") == 0) {
        char *text = (char *)backworks_alloc(call, body.size + 1);
        memcpy(text, body.at, body.size);
        text[body.size] = '\0';
        return (BackworksBytes){(const uint8_t *)text, body.size};
    }
    yyjson_val *value = backworks_json_read(call, body.at, body.size);
    const char *text = yyjson_is_str(value) ? yyjson_get_str(value) : "";
    size_t size = yyjson_get_len(yyjson_is_str(value) ? value : NULL);
    if (strcmp(encoding, "base64") != 0) {
        return (BackworksBytes){(const uint8_t *)text, size};
    }
    uint8_t *bytes = (uint8_t *)backworks_alloc(call, size / 4 * 3 + 1);
    if (!backworks_base64_decode(text, size, bytes, &size)) {
        backworks_leave(call, "the body in the document is not base64");
    }
    bytes[size] = '\0';
    return (BackworksBytes){bytes, size};
}

/* The body as JSON. NULL when it is not JSON, or nested deeper than 512 levels. */
static BACKWORKS_UNUSED yyjson_val *backworks_body_json(BackworksCall *call) {
    bool is_json = strcmp(backworks_body_encoding(call), "json") == 0;
    return is_json ? backworks_member(call, "body") : NULL;
}

/* What the caller of an operation passed. Of operations only. */
static BACKWORKS_UNUSED yyjson_val *backworks_payload(BackworksCall *call) {
    return backworks_json_read(call, call->document.text.at, call->document.text.size);
}

#endif /* BACKWORKS_C_READ_H */
