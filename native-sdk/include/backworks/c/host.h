/*
 * What the server offers to the plugin. A service that this server does not offer makes the call fail, with
 * the name of the service; ask BACKWORKS_HOST_HAS(backworks_host(), kv_get) to find out first.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_C_HOST_H
#define BACKWORKS_C_HOST_H

#include "answer.h"
#include "read.h"

/* What the plugin keeps between calls. BACKWORKS_PLUGIN() defines it, in one file of the plugin. */
typedef struct BackworksState {
    const struct BackworksPlugin *plugin;
    const BackworksHost *host;
    char *last_error;
    char *manifest;
    BackworksArena *config_memory;
} BackworksState;
extern BACKWORKS_HIDDEN BackworksState backworks_state;

/* The table of the host; NULL before the server has passed it, which it does before initialize(). */
static inline const BackworksHost *backworks_host(void) {
    return backworks_state.host;
}

#define BACKWORKS_NEED(call, service)                                                              \
    do {                                                                                           \
        if (!BACKWORKS_HOST_HAS(backworks_host(), service)) {                                      \
            backworks_leave(call, "the server offers no " #service "()");                          \
        }                                                                                          \
    } while (0)

/* Writes a line to the server's log, under the plugin's name. On any thread. */
static BACKWORKS_UNUSED BACKWORKS_FORMAT(2, 3) void backworks_log(BackworksLogLevel level,
                                                                  const char *format, ...) {
    char line[8192];
    va_list values;
    if (!BACKWORKS_HOST_HAS(backworks_host(), log)) {
        return;
    }
    va_start(values, format);
    (void)vsnprintf(line, sizeof line, format, values);
    va_end(values);
    backworks_host()->log((int32_t)level, line);
}

#define BACKWORKS_DEBUG(...) backworks_log(BACKWORKS_LOG_DEBUG, __VA_ARGS__)
#define BACKWORKS_INFO(...) backworks_log(BACKWORKS_LOG_INFO, __VA_ARGS__)
#define BACKWORKS_WARN(...) backworks_log(BACKWORKS_LOG_WARN, __VA_ARGS__)
#define BACKWORKS_ERROR(...) backworks_log(BACKWORKS_LOG_ERROR, __VA_ARGS__)

/* Adds to the counter backworks_plugin_custom_total{plugin,name}. On any thread. */
static BACKWORKS_UNUSED void backworks_metric(const char *name, double delta) {
    if (BACKWORKS_HOST_HAS(backworks_host(), metric)) {
        backworks_host()->metric(name, delta);
    }
}

/* Milliseconds the running call may still take; -1 when it has no deadline. */
static BACKWORKS_UNUSED int64_t backworks_deadline_left_ms(void) {
    bool has = BACKWORKS_HOST_HAS(backworks_host(), deadline_left_ms);
    return has ? backworks_host()->deadline_left_ms() : -1;
}

/* Whether nobody waits for the running call's answer any more. */
static BACKWORKS_UNUSED bool backworks_cancelled(void) {
    return BACKWORKS_HOST_HAS(backworks_host(), cancelled) && backworks_host()->cancelled() != 0;
}

/* The host's strings are valid until the next host function only. */
static BACKWORKS_UNUSED const char *backworks_copy(BackworksCall *call, const char *text) {
    return text == NULL ? NULL
                        : (const char *)memcpy(backworks_alloc(call, strlen(text) + 1), text,
                                               strlen(text) + 1);
}

/* JSON that the plugin made, as text; "null" for NULL. */
static BACKWORKS_UNUSED const char *backworks_json_text(BackworksCall *call,
                                                        const yyjson_mut_val *value) {
    yyjson_write_err error = {0};
    const char *text = value == NULL ? "null"
                                     : yyjson_mut_val_write_opts(value, YYJSON_WRITE_NOFLAG,
                                                                 &call->memory, NULL, &error);
    if (text == NULL) {
        backworks_leave(call, backworks_format(call, "JSON cannot be written: %s", error.msg));
    }
    return text;
}

/* A value of the plugin's own key-value space. NULL when there is none. */
static BACKWORKS_UNUSED const char *backworks_kv_get(BackworksCall *call, const char *key) {
    BACKWORKS_NEED(call, kv_get);
    return backworks_copy(call, backworks_host()->kv_get(key));
}

/*
 * Writes a value to the plugin's own key-value space; a NULL value removes the key. `ttl_seconds` is how long
 * the value is kept, 0 for as long as the store exists. False when it is not stored.
 */
static BACKWORKS_UNUSED bool backworks_kv_set(BackworksCall *call, const char *key,
                                              const char *value, uint32_t ttl_seconds) {
    BACKWORKS_NEED(call, kv_set);
    return backworks_host()->kv_set(key, value, ttl_seconds) == 0;
}

/*
 * The documents of an HTTP request that the server makes; http.h has it with types. `request` is
 * {method, url, headers, body, body_encoding, timeout_ms}. Returns {status, headers, body, body_encoding} with
 * the body as a string, or {error}; NULL when the server's answer is not JSON.
 */
static BACKWORKS_UNUSED yyjson_val *backworks_http_fetch(BackworksCall *call,
                                                         const yyjson_mut_val *request) {
    BACKWORKS_NEED(call, http_fetch);
    const char *answer = backworks_host()->http_fetch(backworks_json_text(call, request));
    return backworks_json_read(call, answer, answer == NULL ? 0 : strlen(answer));
}

/*
 * Calls an operation of a plugin that the manifest's dependencies name; a NULL `plugin` stands for the one
 * that provides the operation. NULL when it returned nothing, failed or is not allowed.
 */
static BACKWORKS_UNUSED yyjson_val *backworks_call(BackworksCall *call, const char *plugin,
                                                   const char *operation,
                                                   const yyjson_mut_val *payload) {
    BACKWORKS_NEED(call, call);
    const char *answer =
        backworks_host()->call(plugin, operation, backworks_json_text(call, payload));
    return backworks_json_read(call, answer, answer == NULL ? 0 : strlen(answer));
}

#endif /* BACKWORKS_C_HOST_H */
