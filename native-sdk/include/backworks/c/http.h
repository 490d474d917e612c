/*
 * HTTP requests that the server makes for the plugin, to the origins that permissions.network.fetch grants.
 *
 * SPDX-License-Identifier: MIT
 *
 *     BackworksHttpResponse rates = backworks_http(
 *         call, (BackworksHttpRequest){.url = "https://api.example/rates", .timeout_ms = 500});
 *     if (rates.error != NULL) {
 *         backworks_respond_problem(call, 502, "Bad Gateway", rates.error);
 *         return;
 *     }
 *     yyjson_val *body = backworks_http_json(call, &rates);
 */
#ifndef BACKWORKS_C_HTTP_H
#define BACKWORKS_C_HTTP_H

#include "host.h"

/* A header of a request. A name may occur several times. */
typedef struct BackworksHttpHeader {
    const char *name;
    const char *value;
} BackworksHttpHeader;

/* A request. Only the URL is required. At most one of json, text and bytes is the body. */
typedef struct BackworksHttpRequest {
    const char *method;                 /* NULL for GET */
    const char *url;                    /* absolute */
    const BackworksHttpHeader *headers; /* ends with a name that is NULL; NULL for none */
    const yyjson_mut_val *json;         /* made with backworks_json(call); adds a content-type */
    const char *text;                   /* UTF-8 */
    const void *bytes;
    size_t size;         /* of bytes */
    uint32_t timeout_ms; /* 0 for as long as the call may take; it ends before that in any case */
} BackworksHttpRequest;

/* A response with any status, or the reason why there is none. Valid until the call is over. */
typedef struct BackworksHttpResponse {
    /* NULL when there is a response. One sentence: the request is wrong, its origin is not granted, the target did
     * not answer in time, or the body was too long. */
    const char *error;
    int status;
    yyjson_val *headers; /* an object, names in lower case: backworks_http_header() */
    BackworksBytes body; /* unpacked when it was compressed; at most 4 MiB */
} BackworksHttpResponse;

/* Adds a value to the list of a name. */
static BACKWORKS_UNUSED void backworks_http_add_header(BackworksCall *call, yyjson_mut_val *headers,
                                                       const BackworksHttpHeader *header) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *values = yyjson_mut_obj_get(headers, header->name);
    if (values == NULL) {
        values = yyjson_mut_obj_add_arr(json, headers, header->name);
    }
    yyjson_mut_arr_add_str(json, values, header->value);
}

/* The document of http_fetch(). */
static BACKWORKS_UNUSED yyjson_mut_val *backworks_http_document(BackworksCall *call,
                                                                const BackworksHttpRequest *given) {
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *document = yyjson_mut_obj(json);
    yyjson_mut_obj_add_str(json, document, "method", given->method == NULL ? "GET" : given->method);
    backworks_put(call, document, "url", backworks_text_or_null(call, given->url));
    if (given->headers != NULL) {
        yyjson_mut_val *headers = yyjson_mut_obj_add_obj(json, document, "headers");
        for (const BackworksHttpHeader *header = given->headers; header->name != NULL; header++) {
            backworks_http_add_header(call, headers, header);
        }
    }
    if (given->json != NULL) {
        yyjson_mut_val *body = yyjson_mut_val_mut_copy(json, given->json);
        backworks_set_body(call, document, "json", body);
    } else if (given->text != NULL) {
        backworks_set_body(call, document, "text", yyjson_mut_str(json, given->text));
    } else if (given->bytes != NULL) {
        backworks_set_body(call, document, "base64",
                           backworks_base64(call, given->bytes, given->size));
    }
    if (given->timeout_ms > 0) {
        yyjson_mut_obj_add_uint(json, document, "timeout_ms", given->timeout_ms);
    }
    return document;
}

/*
 * Has the server make a request, and waits for the answer. Without the service, as in the server's own process,
 * the call fails; ask BACKWORKS_HOST_HAS(backworks_host(), http_fetch) to find out first.
 */
static BACKWORKS_UNUSED BackworksHttpResponse backworks_http(BackworksCall *call,
                                                             BackworksHttpRequest request) {
    yyjson_val *answer = backworks_http_fetch(call, backworks_http_document(call, &request));
    yyjson_val *error = backworks_get(answer, "error");
    yyjson_val *body = backworks_get(answer, "body");
    const char *encoding = yyjson_get_str(backworks_get(answer, "body_encoding"));
    BackworksHttpResponse response = {NULL, 0, NULL, {(const uint8_t *)"", 0}};
    if (answer == NULL || error != NULL) {
        const char *why = yyjson_get_str(error);
        response.error = why == NULL ? "the answer of http_fetch() cannot be read" : why;
        return response;
    }
    response.status = yyjson_get_int(backworks_get(answer, "status"));
    response.headers = backworks_get(answer, "headers");
    if (!yyjson_is_str(body)) {
        return response;
    }
    response.body = (BackworksBytes){(const uint8_t *)yyjson_get_str(body), yyjson_get_len(body)};
    if (encoding != NULL && strcmp(encoding, "base64") == 0) {
        const char *text = yyjson_get_str(body);
        size_t size = yyjson_get_len(body);
        uint8_t *bytes = (uint8_t *)backworks_alloc(call, size / 4 * 3 + 1);
        if (!backworks_base64_decode(text, size, bytes, &size)) {
            backworks_leave(call, "the body in the answer of http_fetch() is not base64");
        }
        bytes[size] = '\0';
        response.body = (BackworksBytes){bytes, size};
    }
    return response;
}

/* The first value of a header; `name` is in lower case. NULL without it. */
static BACKWORKS_UNUSED const char *backworks_http_header(const BackworksHttpResponse *response,
                                                          const char *name) {
    return backworks_first_text(response->headers, name);
}

/* The body as JSON. NULL when it is not JSON, or nested deeper than 512 levels. */
static BACKWORKS_UNUSED yyjson_val *backworks_http_json(BackworksCall *call,
                                                        const BackworksHttpResponse *response) {
    return backworks_json_read(call, (const char *)response->body.data, response->body.size);
}

#endif /* BACKWORKS_C_HTTP_H */
