/* SPDX-License-Identifier: MIT */
/*
 * The plugin that every peer of the benchmark runs. It does almost nothing, so the benchmark measures
 * the transport: the plugin reads its input once and answers with 45 bytes.
 *
 * HOOKS, a sum of the bits below, chooses the hooks of a build, and NAME its name. With the
 * configuration {"patch":true}, before_request and after_response change something instead of only
 * reading. THREAD_SAFE makes a build whose hooks may be called on several threads.
 */
#include <string.h>

#include "backworks_plugin.h"

#define HOOK_BEFORE 1
#define HOOK_ENDPOINT 2
#define HOOK_AFTER 4

#ifndef HOOKS
#define HOOKS (HOOK_BEFORE | HOOK_ENDPOINT | HOOK_AFTER)
#endif
#ifndef NAME
#define NAME "bench"
#endif

static const char answer[] = "{\"city\":\"Lisbon\",\"celsius\":21.5,\"sky\":\"fair\"}";
static const char patch[] = "{\"context\":{\"seen_by\":\"the bench plugin, 1\"}}";
_Static_assert(sizeof answer - 1 == 45, "the answer has 45 bytes");
_Static_assert(sizeof patch - 1 == 45, "so has the patch");

#ifdef THREAD_SAFE
#define OF_THREAD _Thread_local
#else
#define OF_THREAD
#endif

static int patches;
static OF_THREAD volatile size_t bytes_seen;

static int32_t initialize(const char *config_json) {
    patches = strstr(config_json, "\"patch\":true") != NULL;
    return 0;
}

static const char *look(const char *document_json) {
    bytes_seen += strlen(document_json);
    return patches ? patch : NULL;
}

static const char *process_endpoint(const char *endpoint, const char *method,
                                    const char *data_json) {
    (void)endpoint;
    (void)method;
    bytes_seen += strlen(data_json);
    return answer;
}

PluginInfo plugin_info(void) {
    return (PluginInfo){NAME, "1.0.0", "Answers at once."};
}

PluginVTable plugin_vtable(void) {
    return (PluginVTable){
        .initialize = initialize,
        .before_request = (HOOKS & HOOK_BEFORE) != 0 ? look : NULL,
        .process_endpoint = (HOOKS & HOOK_ENDPOINT) != 0 ? process_endpoint : NULL,
        .after_response = (HOOKS & HOOK_AFTER) != 0 ? look : NULL,
    };
}

#ifdef THREAD_SAFE
const BackworksExtensions *backworks_extensions(void) {
    static const BackworksExtensions extensions = {
        .size = sizeof extensions,
        .abi_version = 1,
        .flags = BACKWORKS_THREAD_SAFE,
    };

    return &extensions;
}
#endif
