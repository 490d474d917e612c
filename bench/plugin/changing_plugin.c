/* SPDX-License-Identifier: MIT */
/*
 * A plugin whose hooks do typical work of plugins. HOOKS, a sum of the bits below, chooses the hooks of
 * a build. Members of the configuration choose what the hooks do:
 *
 *   {"before": "user"}     before_request sets a header and a member of the context
 *   {"before": "key"}      before_request refuses requests without the right x-api-key
 *   {"before": "body"}     before_request changes one member of the request's body
 *   {"days": true}         process_endpoint answers about 2 KiB; otherwise 45 bytes
 *   {"after": "header"}    after_response adds a header
 *   {"after": "body"}      after_response changes one member of the response's body
 *
 * A hook that the configuration does not name answers NULL.
 */
#include <stdio.h>
#include <string.h>

#include "backworks_plugin.h"

#define HOOK_BEFORE 1
#define HOOK_ENDPOINT 2
#define HOOK_AFTER 4

enum { DAYS = 51, DAYS_BYTES = 4096 };

static const char user[] = "{\"headers\":{\"x-user\":\"42\"},\"context\":{\"user\":42}}";
static const char key[] = "\"x-api-key\":\"bench-key\"";
static const char refusal[] =
    "{\"response\":{\"status\":401,\"body\":{\"error\":\"no valid key\"}}}";
static const char request_body[] = "{\"body\":{\"padding\":\"changed\"}}";
static const char header[] = "{\"headers\":{\"x-served-by\":\"bench\"}}";
static const char response_body[] = "{\"body\":{\"sky\":\"cloudy\"}}";
static const char weather[] = "{\"city\":\"Lisbon\",\"celsius\":21.5,\"sky\":\"fair\"}";

static char days[DAYS_BYTES];
static const char *before_answer, *endpoint_answer, *after_answer;
static int checks_key;

static void write_days(void) {
    size_t length = (size_t)snprintf(days, sizeof days, "{\"city\":\"Lisbon\",\"days\":[");

    for (int day = 1; day <= DAYS; day++)
        length += (size_t)snprintf(days + length, sizeof days - length,
                                   "%s{\"day\":%d,\"celsius\":21.5,\"sky\":\"fair\"}",
                                   day == 1 ? "" : ",", day);
    (void)snprintf(days + length, sizeof days - length, "]}");
}

static int32_t initialize(const char *config_json) {
    checks_key = strstr(config_json, "\"before\":\"key\"") != NULL;
    if (strstr(config_json, "\"before\":\"user\"") != NULL)
        before_answer = user;
    if (strstr(config_json, "\"before\":\"body\"") != NULL)
        before_answer = request_body;
    if (strstr(config_json, "\"after\":\"header\"") != NULL)
        after_answer = header;
    if (strstr(config_json, "\"after\":\"body\"") != NULL)
        after_answer = response_body;
    write_days();
    endpoint_answer = strstr(config_json, "\"days\":true") != NULL ? days : weather;
    return 0;
}

static const char *before_request(const char *request_json) {
    if (checks_key && strstr(request_json, key) == NULL)
        return refusal;
    return before_answer;
}

static const char *process_endpoint(const char *endpoint, const char *method,
                                    const char *data_json) {
    (void)endpoint;
    (void)method;
    (void)data_json;
    return endpoint_answer;
}

static const char *after_response(const char *response_json) {
    (void)response_json;
    return after_answer;
}

PluginInfo plugin_info(void) {
    return (PluginInfo){"changing", "1.0.0", "Changes requests and responses."};
}

PluginVTable plugin_vtable(void) {
    return (PluginVTable){
        .initialize = initialize,
        .before_request = (HOOKS & HOOK_BEFORE) != 0 ? before_request : NULL,
        .process_endpoint = (HOOKS & HOOK_ENDPOINT) != 0 ? process_endpoint : NULL,
        .after_response = (HOOKS & HOOK_AFTER) != 0 ? after_response : NULL,
    };
}
