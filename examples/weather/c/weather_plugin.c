/*
 * The weather plugin: answers GET /weather and GET /weather/{city}.
 *
 * It uses every part of the ABI that a small plugin needs: both frozen symbols, and the extension
 * table for a manifest, error texts, log lines and strings that the host passes back.
 *
 *   before_request    checks ?units=; answers 400 itself, or stores the units in the context
 *   process_endpoint  answers in the units that the context names
 *   after_response    names the source of the answer in a header
 *
 * SPDX-License-Identifier: MIT
 */
#include "backworks_plugin.h"

#include "climate.h"
#include "json_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLUGIN_NAME "weather"
#define PLUGIN_VERSION "1.0.0"

enum {
    CITY_SIZE = 128, /* bytes of a city's name with its final NUL */
    ESCAPED_SIZE = 6 * CITY_SIZE,
    REPLY_SIZE = 2 * ESCAPED_SIZE,
    UNITS_SIZE = 16,
    ROUTE_SIZE = 32
};

static const BackworksHost *host;
static const char *problem;
static char default_city[CITY_SIZE] = "Lisbon";

/* ---- Helpers --------------------------------------------------------------------------------- */

/* The string at object.name; false when it is missing or does not fit. */
static bool member_string(JsonValue object, const char *name, char *out, size_t size) {
    JsonValue value;
    return json_member(object, name, &value) && json_string(value, out, size);
}

static bool is_ours(const char *route) {
    return strcmp(route, "/weather") == 0 || strcmp(route, "/weather/{city}") == 0;
}

/* A string on the heap, which the host passes to free_string(). */
static char *copy_of(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

/* Writes the content of a JSON string. `out` has space for six bytes per byte of `text`. */
static void escape(const char *text, char *out) {
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < 0x20) {
            out += sprintf(out, "\\u%04x", byte);
            continue;
        }
        if (byte == '"' || byte == '\\') {
            *out++ = '\\';
        }
        *out++ = (char)byte;
    }
    *out = '\0';
}

#define PROBLEM_400(detail)                                                                        \
    "{\"status\":400,\"headers\":{\"content-type\":\"application/problem+json\"},"                 \
    "\"body\":{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"                 \
    "\"detail\":\"" detail "\"}}"

/* ---- Lifecycle ------------------------------------------------------------------------------- */

static int32_t bind_host(const BackworksHost *given) {
    host = given;
    return 0;
}

static int32_t initialize(const char *config_json) {
    JsonValue config, value;
    char key[CITY_SIZE];
    if (!json_parse(config_json, &config)) {
        problem = "the configuration is not JSON";
        return 1;
    }
    if (json_member(config, "api_key", &value) &&
        (!json_string(value, key, sizeof key) || key[0] == '\0')) {
        problem = "api_key is not a text of 1 to 127 bytes";
        return 2;
    }
    if (json_member(config, "default_city", &value) &&
        (!json_string(value, default_city, sizeof default_city) || default_city[0] == '\0')) {
        problem = "default_city is not a text of 1 to 127 bytes";
        return 3;
    }
    if (BACKWORKS_HOST_HAS(host, log)) {
        char line[CITY_SIZE + 64];
        snprintf(line, sizeof line, "ready, default city %s", default_city);
        host->log(BACKWORKS_LOG_INFO, line);
    }
    return 0;
}

static int32_t shutdown(void) {
    host = NULL;
    return 0;
}

static int32_t health_check(void) {
    if (climate_of(default_city).city != NULL) {
        return 0;
    }
    problem = "default_city is not in the table; its weather is derived from its name";
    return 1;
}

static const char *last_error(void) {
    return problem;
}

/* ---- Requests -------------------------------------------------------------------------------- */

static const char *before_request(const char *request_json) {
    JsonValue request, query, wanted;
    char route[ROUTE_SIZE], units[UNITS_SIZE] = "metric";
    if (!json_parse(request_json, &request) ||
        !member_string(request, "route", route, sizeof route) || !is_ours(route)) {
        return NULL;
    }
    if (json_member(request, "query", &query) && json_member(query, "units", &wanted) &&
        (!json_string(wanted, units, sizeof units) ||
         (strcmp(units, "metric") != 0 && strcmp(units, "imperial") != 0))) {
        return copy_of("{\"response\":" PROBLEM_400("units is metric or imperial") "}");
    }
    char reply[REPLY_SIZE];
    snprintf(reply, sizeof reply, "{\"context\":{\"" PLUGIN_NAME "\":{\"units\":\"%s\"}}}", units);
    return copy_of(reply);
}

static bool wants_imperial(JsonValue request) {
    JsonValue context, noted;
    char units[UNITS_SIZE];
    return json_member(request, "context", &context) && json_member(context, PLUGIN_NAME, &noted) &&
           member_string(noted, "units", units, sizeof units) && strcmp(units, "imperial") == 0;
}

static const char *answer(const char *city, bool imperial) {
    Climate climate = climate_of(city);
    int tenths = climate.temperature_tenths;
    if (imperial) {
        tenths = tenths_fahrenheit(tenths);
    }
    char escaped[ESCAPED_SIZE], reply[REPLY_SIZE];
    escape(climate.city != NULL ? climate.city : city, escaped);
    snprintf(reply, sizeof reply,
             "{\"basis\":\"%s\",\"city\":\"%s\",\"conditions\":\"%s\",\"humidity\":%d,"
             "\"temperature\":%s%d.%d,\"units\":\"%s\"}",
             climate.city != NULL ? "yearly mean" : "derived from the name", escaped,
             climate.conditions, climate.humidity_percent, tenths < 0 ? "-" : "", abs(tenths) / 10,
             abs(tenths) % 10, imperial ? "imperial" : "metric");
    return copy_of(reply);
}

static const char *process_endpoint(const char *endpoint, const char *method,
                                    const char *data_json) {
    if (!is_ours(endpoint) || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)) {
        return NULL;
    }
    JsonValue request, params, named;
    if (!json_parse(data_json, &request)) {
        return copy_of(PROBLEM_400("the request cannot be read"));
    }
    char city[CITY_SIZE];
    strcpy(city, default_city);
    if (json_member(request, "params", &params) && json_member(params, "city", &named) &&
        (!json_string(named, city, sizeof city) || city[0] == '\0')) {
        return copy_of(PROBLEM_400("a city's name has 1 to 127 bytes"));
    }
    return answer(city, wants_imperial(request));
}

static const char *after_response(const char *response_json) {
    JsonValue response, context, noted;
    if (!json_parse(response_json, &response) || !json_member(response, "context", &context) ||
        !json_member(context, PLUGIN_NAME, &noted)) {
        return NULL;
    }
    return copy_of("{\"headers\":{\"x-weather-source\":\"" PLUGIN_NAME "/" PLUGIN_VERSION "\"}}");
}

/* ---- What the library exports ---------------------------------------------------------------- */

static const char *manifest(void) {
    return "{\"hooks\":[\"before_request\",\"process_endpoint\",\"after_response\"],"
           "\"author\":\"The Backworks maintainers\",\"license\":\"MIT\","
           "\"config_schema\":{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"
           "\"api_key\":{\"type\":\"string\",\"minLength\":1},"
           "\"default_city\":{\"type\":\"string\",\"minLength\":1}}}}";
}

static void free_string(const char *string) {
    free((void *)string);
}

BACKWORKS_EXPORT PluginInfo plugin_info(void) {
    return (PluginInfo){
        .name = PLUGIN_NAME,
        .version = PLUGIN_VERSION,
        .description = "Yearly mean weather of cities, without a network.",
    };
}

BACKWORKS_EXPORT PluginVTable plugin_vtable(void) {
    return (PluginVTable){
        .initialize = initialize,
        .shutdown = shutdown,
        .health_check = health_check,
        .before_request = before_request,
        .after_response = after_response,
        .process_endpoint = process_endpoint,
    };
}

BACKWORKS_EXPORT const BackworksExtensions *backworks_extensions(void) {
    static const BackworksExtensions extensions = {
        .size = sizeof(BackworksExtensions),
        .abi_version = BACKWORKS_ABI_VERSION,
        .manifest = manifest,
        .free_string = free_string,
        .last_error = last_error,
        .bind_host = bind_host,
    };
    return &extensions;
}
