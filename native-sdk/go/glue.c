/* The C side of the SDK: the exported tables, and calls through the host table. */
#include "glue.h"

#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"

static const BackworksHost *host;

static int32_t bind_host(const BackworksHost *offered) {
    host = offered;
    backworksBound(BACKWORKS_HOST_HAS(host, log));
    return 0;
}

static void free_string(const char *string) {
    free((void *)string);
}

BACKWORKS_EXPORT PluginInfo plugin_info(void) {
    return (PluginInfo){backworksText(0), backworksText(1), backworksText(2)};
}

BACKWORKS_EXPORT PluginVTable plugin_vtable(void) {
    const int32_t has = backworksImplements();
    PluginVTable table = {0};
    if (has & IMPLEMENTS_INITIALIZE)
        table.initialize = backworksInitialize;
    if (has & IMPLEMENTS_SHUTDOWN)
        table.shutdown = backworksShutdown;
    if (has & IMPLEMENTS_HEALTH_CHECK)
        table.health_check = backworksHealthCheck;
    if (has & IMPLEMENTS_BEFORE_REQUEST)
        table.before_request = backworksBeforeRequest;
    if (has & IMPLEMENTS_AFTER_RESPONSE)
        table.after_response = backworksAfterResponse;
    if (has & IMPLEMENTS_PROCESS_ENDPOINT)
        table.process_endpoint = backworksProcessEndpoint;
    return table;
}

BACKWORKS_EXPORT const BackworksExtensions *backworks_extensions(void) {
    static BackworksExtensions table = {
        .size = sizeof(BackworksExtensions),
        .abi_version = BACKWORKS_ABI_VERSION,
        .manifest = backworksManifest,
        .free_string = free_string,
        .last_error = backworksLastError,
        .bind_host = bind_host,
    };
    const int32_t has = backworksImplements();
    if (has & IS_THREAD_SAFE)
        table.flags = BACKWORKS_THREAD_SAFE;
    if (has & IMPLEMENTS_CALL)
        table.call = backworksCall;
    if (has & IMPLEMENTS_RECONFIGURE)
        table.reconfigure = backworksReconfigure;
    return &table;
}

static char *copy_of(const char *text) {
    if (text == NULL)
        return NULL;
    const size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy == NULL)
        abort();
    return memcpy(copy, text, size);
}

int32_t backworks_host_log(int32_t level, const char *message) {
    if (!BACKWORKS_HOST_HAS(host, log))
        return 0;
    host->log(level, message);
    return 1;
}

int32_t backworks_host_metric(const char *name, double delta) {
    if (!BACKWORKS_HOST_HAS(host, metric))
        return 0;
    host->metric(name, delta);
    return 1;
}

int32_t backworks_host_kv_get(const char *key, char **value) {
    if (!BACKWORKS_HOST_HAS(host, kv_get))
        return 0;
    *value = copy_of(host->kv_get(key));
    return 1;
}

int32_t backworks_host_kv_set(const char *key, const char *value, uint32_t ttl_seconds,
                              int32_t *status) {
    if (!BACKWORKS_HOST_HAS(host, kv_set))
        return 0;
    *status = host->kv_set(key, value, ttl_seconds);
    return 1;
}

int32_t backworks_host_http_fetch(const char *request_json, char **answer) {
    if (!BACKWORKS_HOST_HAS(host, http_fetch))
        return 0;
    *answer = copy_of(host->http_fetch(request_json));
    return 1;
}

int32_t backworks_host_call(const char *plugin, const char *operation, const char *payload_json,
                            char **answer) {
    if (!BACKWORKS_HOST_HAS(host, call))
        return 0;
    *answer = copy_of(host->call(plugin, operation, payload_json));
    return 1;
}

int32_t backworks_host_fail(const char *message) {
    if (!BACKWORKS_HOST_HAS(host, fail))
        return 0;
    host->fail(message);
    return 1;
}

int64_t backworks_host_deadline_left_ms(void) {
    return BACKWORKS_HOST_HAS(host, deadline_left_ms) ? host->deadline_left_ms() : -1;
}

int32_t backworks_host_cancelled(void) {
    return BACKWORKS_HOST_HAS(host, cancelled) ? host->cancelled() : 0;
}
