/*
 * The plugin as one table, and the functions that the server calls.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_C_PLUGIN_H
#define BACKWORKS_C_PLUGIN_H

#include "config.h"
#include "http.h"

/* A JSON text in a C file, without escapes: BACKWORKS_JSON({"priority": 10}). */
#define BACKWORKS_JSON(...) #__VA_ARGS__

/*
 * A plugin. Only name, version and description are required; a function that is NULL costs nothing. Hooks
 * answer through the functions of answer.h, and fail through backworks_fail() or BACKWORKS_PANIC().
 */
typedef struct BackworksPlugin {
    const char *name;        /* lower-case words joined by '-', at most 64 bytes */
    const char *version;     /* semantic version */
    const char *description; /* one sentence for people */

    /* Prepares the plugin; the configuration has been read. */
    void (*initialize)(BackworksCall *call);
    /* Takes another configuration while the plugin runs. Without it, the server starts the plugin anew. */
    void (*reconfigure)(BackworksCall *call);
    /* Ends the plugin's work. A process may end without this. */
    void (*shutdown)(BackworksCall *call);
    /* Says nothing, backworks_degraded() or backworks_unhealthy(). */
    void (*health_check)(BackworksCall *call);
    /* Sees a request before its endpoint does. */
    void (*before_request)(BackworksCall *call);
    /* Answers a request. Without a response, the request is not for this plugin. */
    void (*process_endpoint)(BackworksCall *call);
    /* Sees a response before its client does. */
    void (*after_response)(BackworksCall *call);
    /* Performs one of the plugin's capabilities for another plugin. */
    void (*call)(BackworksCall *call, const char *operation);

    /* The struct with the configuration and its fields, see config.h. */
    const BackworksField *config_fields;
    void *config;
    size_t config_size;

    bool thread_safe; /* hooks may run on several threads at once */
    bool critical;    /* requests fail while the plugin fails: required to refuse requests safely */
    /* Longest time of a call, unless the operator says otherwise; 0 for the server's default. */
    uint32_t max_execution_time_ms;
    /* What else the server should know: a JSON object, see manifest() in backworks_plugin.h. */
    const char *manifest;
} BackworksPlugin;

/* The plugin works less well than it should. Of health_check only. */
static BACKWORKS_UNUSED BACKWORKS_FORMAT(2, 3) void backworks_degraded(BackworksCall *call,
                                                                       const char *format, ...) {
    va_list values;
    va_start(values, format);
    call->failure = backworks_format_list(call, format, values);
    call->status = 1;
    va_end(values);
}

/* The plugin does not work. Of health_check only. */
static BACKWORKS_UNUSED BACKWORKS_FORMAT(2, 3) void backworks_unhealthy(BackworksCall *call,
                                                                        const char *format, ...) {
    va_list values;
    va_start(values, format);
    call->failure = backworks_format_list(call, format, values);
    call->status = -1;
    va_end(values);
}

#endif /* BACKWORKS_C_PLUGIN_H */
