/* SPDX-License-Identifier: MIT */
/*
 * The plugin of the sdk scenario without an SDK: finds the parameter `city` in the document, and answers with a
 * whole response. The plugins of this folder do the same, each with its SDK.
 */
#include <stdio.h>
#include <string.h>

#include "backworks_plugin.h"

static const char *process_endpoint(const char *endpoint, const char *method,
                                    const char *data_json) {
    static char answer[256];
    const char *city = strstr(data_json, "\"city\":\"");
    const char *end = city == NULL ? NULL : strchr(city + 8, '"');

    (void)endpoint;
    (void)method;
    if (end == NULL)
        return NULL;
    (void)snprintf(
        answer, sizeof answer,
        "{\"status\":200,\"headers\":{},\"body_encoding\":\"json\",\"body\":{\"city\":\"%.*s\","
        "\"celsius\":21.5,\"sky\":\"fair\"}}",
        (int)(end - city - 8), city + 8);
    return answer;
}

PluginInfo plugin_info(void) {
    return (PluginInfo){"bench", "1.0.0", "Answers at once."};
}

PluginVTable plugin_vtable(void) {
    return (PluginVTable){.process_endpoint = process_endpoint};
}
