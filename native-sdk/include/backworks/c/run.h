/*
 * Runs the functions of the plugin for the server: reads what they are given, writes what they answer, and
 * keeps failures inside the plugin. Authors do not call these functions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_C_RUN_H
#define BACKWORKS_C_RUN_H

#include <stdlib.h>

#include "plugin.h"

/* Runs `body` so that BACKWORKS_PANIC() in it ends here. Locals of the caller stay as they are. */
#define BACKWORKS_BARRIER(call, body)                                                              \
    do {                                                                                           \
        if (BACKWORKS_SETJMP((call)->barrier) == 0) {                                              \
            body;                                                                                  \
        }                                                                                          \
    } while (0)

/* ---- Hooks and operations ----------------------------------------------------------------------------- */

static BACKWORKS_UNUSED void backworks_hook_body(BackworksCall *call,
                                                 void (*hook)(BackworksCall *)) {
    BACKWORKS_BARRIER(call, hook(call));
}

static BACKWORKS_UNUSED void backworks_operation_body(BackworksCall *call,
                                                      const BackworksPlugin *plugin,
                                                      const char *operation) {
    BACKWORKS_BARRIER(call, plugin->call(call, operation));
}

/* What the hook answered, as one JSON value. NULL for nothing. */
static BACKWORKS_UNUSED yyjson_mut_val *backworks_answer_value(BackworksCall *call) {
    switch (call->stage) {
    case BACKWORKS_OPERATION:
        return call->result;
    case BACKWORKS_PROCESS_ENDPOINT:
        return call->response;
    case BACKWORKS_AFTER_RESPONSE:
        if (call->response != NULL) {
            backworks_leave(call, "after_response changes a response; it cannot respond");
        }
        break;
    default:
        break;
    }
    yyjson_mut_val *content = call->response != NULL ? call->response : call->patch;
    if (content == NULL) {
        return NULL;
    }
    bool request = call->response == NULL && call->stage == BACKWORKS_BEFORE_REQUEST;
    yyjson_mut_val *answer = yyjson_mut_obj(backworks_json(call));
    backworks_put(call, answer, request ? "request" : "response", content);
    return answer;
}

/* The answer as a text of malloc(), which free_string() frees. */
static BACKWORKS_UNUSED void backworks_write_answer(BackworksCall *call, char **text) {
    yyjson_write_err error = {0};
    yyjson_mut_val *value = backworks_answer_value(call);
    if (value != NULL) {
        *text = yyjson_mut_val_write_opts(value, YYJSON_WRITE_NOFLAG, NULL, NULL, &error);
        if (*text == NULL) {
            backworks_leave(call,
                            backworks_format(call, "the answer cannot be written: %s", error.msg));
        }
    }
}

static BACKWORKS_UNUSED void backworks_write_body(BackworksCall *call, char **text) {
    BACKWORKS_BARRIER(call, backworks_write_answer(call, text));
}

/* A host that cannot be told of a failure would take NULL for "unchanged", and let a request pass that
 * the plugin may have been about to refuse. */
static BACKWORKS_UNUSED const char *backworks_call_end(BackworksCall *call) {
    char *answer = NULL;
    if (call->failure == NULL) {
        backworks_write_body(call, &answer);
    }
    if (call->failure != NULL) {
        if (BACKWORKS_HOST_HAS(backworks_host(), fail)) {
            backworks_host()->fail(call->failure);
        } else {
            (void)fprintf(stderr, "%s\n", call->failure);
            abort();
        }
    }
    backworks_arena_end(&call->arena);
    return answer;
}

static BACKWORKS_UNUSED const char *
backworks_hook(BackworksStage stage, void (*hook)(BackworksCall *), const char *document) {
    BackworksCall call;
    backworks_call_begin(&call, stage, document);
    backworks_hook_body(&call, hook);
    return backworks_call_end(&call);
}

static BACKWORKS_UNUSED const char *
backworks_operation(const BackworksPlugin *plugin, const char *operation, const char *payload) {
    BackworksCall call;
    backworks_call_begin(&call, BACKWORKS_OPERATION, payload == NULL ? "null" : payload);
    backworks_operation_body(&call, plugin, operation);
    return backworks_call_end(&call);
}

/* ---- The life of the plugin; one thread, one function at a time --------------------------------------- */

/* Ends a call that returns a status, and keeps why it failed for last_error(). */
static BACKWORKS_UNUSED int32_t backworks_status_end(BackworksCall *call) {
    int32_t status = 0;
    if (call->failure != NULL) {
        size_t size = strlen(call->failure) + 1;
        free(backworks_state.last_error);
        backworks_state.last_error = (char *)malloc(size);
        if (backworks_state.last_error != NULL) {
            memcpy(backworks_state.last_error, call->failure, size);
        }
        status = call->status != 0 ? call->status : -1;
    }
    backworks_arena_end(&call->arena);
    return status;
}

static BACKWORKS_UNUSED void backworks_config_body(BackworksCall *call, BackworksArena *memory,
                                                   const BackworksField *fields, void *into) {
    BACKWORKS_BARRIER(call, backworks_config_read(call, memory, fields, into));
}

static BACKWORKS_UNUSED void backworks_config_free(BackworksArena *memory) {
    if (memory != NULL) {
        backworks_arena_end(memory);
        free(memory);
    }
}

/*
 * Reads the configuration, then calls `function` of the plugin. When either fails, the plugin has the
 * configuration that it had before.
 */
static BACKWORKS_UNUSED int32_t backworks_configure(const BackworksPlugin *plugin,
                                                    void (*function)(BackworksCall *),
                                                    const char *config_json) {
    BackworksCall call;
    backworks_call_begin(&call, BACKWORKS_LIFECYCLE, config_json);
    size_t size = plugin->config_fields == NULL ? 0 : plugin->config_size;
    BackworksArena *memory = (BackworksArena *)calloc(1, sizeof(BackworksArena));
    char *fresh = (char *)calloc(2, size + 1), *former = fresh == NULL ? NULL : fresh + size;
    if (memory == NULL || fresh == NULL) {
        call.failure = "out of memory";
    } else {
        backworks_arena_begin(memory);
    }
    if (call.failure == NULL && size > 0) {
        backworks_config_body(&call, memory, plugin->config_fields, fresh);
    }
    if (call.failure == NULL) {
        if (size > 0) {
            memcpy(former, plugin->config, size);
            memcpy(plugin->config, fresh, size);
        }
        if (function != NULL) {
            backworks_hook_body(&call, function);
        }
        if (call.failure != NULL && size > 0) {
            memcpy(plugin->config, former, size);
        }
    }
    backworks_config_free(call.failure == NULL ? backworks_state.config_memory : memory);
    if (call.failure == NULL) {
        backworks_state.config_memory = memory;
    }
    free(fresh);
    return backworks_status_end(&call);
}

static BACKWORKS_UNUSED int32_t backworks_lifecycle(void (*function)(BackworksCall *)) {
    BackworksCall call;
    backworks_call_begin(&call, BACKWORKS_LIFECYCLE, NULL);
    backworks_hook_body(&call, function);
    return backworks_status_end(&call);
}

/* ---- What the server sees ----------------------------------------------------------------------------- */

static BACKWORKS_UNUSED void backworks_manifest_value(BackworksCall *call, char **text) {
    const BackworksPlugin *plugin = backworks_state.plugin;
    yyjson_mut_doc *json = backworks_json(call);
    yyjson_mut_val *manifest = yyjson_mut_obj(json);
    if (plugin->manifest != NULL) {
        yyjson_val *more = backworks_json_read(call, plugin->manifest, strlen(plugin->manifest));
        if (!yyjson_is_obj(more)) {
            backworks_leave(call, "manifest: not a JSON object");
        }
        manifest = yyjson_val_mut_copy(json, more);
    }
    if (plugin->critical) {
        backworks_put(call, manifest, "critical", yyjson_mut_true(json));
    }
    if (plugin->max_execution_time_ms != 0) {
        backworks_put(call, manifest, "max_execution_time_ms",
                      yyjson_mut_uint(json, plugin->max_execution_time_ms));
    }
    if (plugin->config_fields != NULL) {
        backworks_put(call, manifest, "config_schema",
                      backworks_config_schema(json, plugin->config_fields));
    }
    call->result = manifest;
    backworks_write_answer(call, text);
}

static BACKWORKS_UNUSED void backworks_manifest_body(BackworksCall *call, char **text) {
    BACKWORKS_BARRIER(call, backworks_manifest_value(call, text));
}

/* Made once, and kept: the string is static for the server. */
static BACKWORKS_UNUSED const char *backworks_export_manifest(void) {
    if (backworks_state.manifest == NULL) {
        BackworksCall call;
        backworks_call_begin(&call, BACKWORKS_OPERATION, NULL);
        backworks_manifest_body(&call, &backworks_state.manifest);
        if (call.failure != NULL) {
            (void)fprintf(stderr, "%s\n", call.failure);
        }
        backworks_arena_end(&call.arena);
    }
    return backworks_state.manifest;
}

static BACKWORKS_UNUSED int32_t backworks_export_initialize(const char *config_json) {
    return backworks_configure(backworks_state.plugin, backworks_state.plugin->initialize,
                               config_json);
}

static BACKWORKS_UNUSED int32_t backworks_export_reconfigure(const char *config_json) {
    return backworks_configure(backworks_state.plugin, backworks_state.plugin->reconfigure,
                               config_json);
}

static BACKWORKS_UNUSED int32_t backworks_export_shutdown(void) {
    return backworks_lifecycle(backworks_state.plugin->shutdown);
}

static BACKWORKS_UNUSED int32_t backworks_export_health_check(void) {
    return backworks_lifecycle(backworks_state.plugin->health_check);
}

static BACKWORKS_UNUSED const char *backworks_export_before_request(const char *request_json) {
    return backworks_hook(BACKWORKS_BEFORE_REQUEST, backworks_state.plugin->before_request,
                          request_json);
}

static BACKWORKS_UNUSED const char *backworks_export_after_response(const char *response_json) {
    return backworks_hook(BACKWORKS_AFTER_RESPONSE, backworks_state.plugin->after_response,
                          response_json);
}

/* The document has the endpoint and the method as well. */
static BACKWORKS_UNUSED const char *
backworks_export_process_endpoint(const char *endpoint, const char *method, const char *data_json) {
    (void)endpoint;
    (void)method;
    return backworks_hook(BACKWORKS_PROCESS_ENDPOINT, backworks_state.plugin->process_endpoint,
                          data_json);
}

static BACKWORKS_UNUSED const char *backworks_export_call(const char *operation,
                                                          const char *payload_json) {
    return backworks_operation(backworks_state.plugin, operation, payload_json);
}

static BACKWORKS_UNUSED void backworks_export_free_string(const char *string) {
    free((char *)(uintptr_t)string);
}

static BACKWORKS_UNUSED const char *backworks_export_last_error(void) {
    return backworks_state.last_error;
}

static BACKWORKS_UNUSED int32_t backworks_export_bind_host(const BackworksHost *host) {
    backworks_state.host = host;
    return 0;
}

static inline PluginInfo backworks_info(void) {
    const BackworksPlugin *plugin = backworks_state.plugin;
    return (PluginInfo){plugin->name, plugin->version, plugin->description};
}

static inline PluginVTable backworks_vtable(void) {
    const BackworksPlugin *plugin = backworks_state.plugin;
    bool configured = plugin->initialize != NULL || plugin->config_fields != NULL;
    return (PluginVTable){
        .initialize = configured ? backworks_export_initialize : NULL,
        .shutdown = plugin->shutdown != NULL ? backworks_export_shutdown : NULL,
        .health_check = plugin->health_check != NULL ? backworks_export_health_check : NULL,
        .before_request = plugin->before_request != NULL ? backworks_export_before_request : NULL,
        .after_response = plugin->after_response != NULL ? backworks_export_after_response : NULL,
        .process_endpoint =
            plugin->process_endpoint != NULL ? backworks_export_process_endpoint : NULL,
    };
}

static inline const BackworksExtensions *backworks_extension_table(void) {
    static BackworksExtensions table = {
        .size = sizeof(BackworksExtensions),
        .abi_version = BACKWORKS_ABI_VERSION,
        .manifest = backworks_export_manifest,
        .free_string = backworks_export_free_string,
        .last_error = backworks_export_last_error,
        .bind_host = backworks_export_bind_host,
    };
    const BackworksPlugin *plugin = backworks_state.plugin;
    table.flags = plugin->thread_safe ? BACKWORKS_THREAD_SAFE : 0;
    table.call = plugin->call != NULL ? backworks_export_call : NULL;
    table.reconfigure = plugin->reconfigure != NULL ? backworks_export_reconfigure : NULL;
    return &table;
}

#endif /* BACKWORKS_C_RUN_H */
