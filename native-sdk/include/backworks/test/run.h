/*
 * Starts the plugin and calls its functions as the server does, one at a time. Every answer is checked: it is
 * JSON, and the string goes back to the plugin's free_string().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_TEST_RUN_H
#define BACKWORKS_TEST_RUN_H

#include "documents.h"

#ifdef __cplusplus
extern "C" {
#endif
/* Optional in a plugin; the test is linked with it or without. */
#if defined(__GNUC__)
__attribute__((weak)) const BackworksExtensions *backworks_extensions(void);
#endif
#ifdef __cplusplus
}
#endif

/* Answers, freed by BACKWORKS_TEST_STOP(). */
static yyjson_doc **backworks_test_answers;
static size_t backworks_test_answer_count;

static BACKWORKS_UNUSED BackworksExtensions backworks_test_extensions(void) {
    BackworksExtensions known;
    memset(&known, 0, sizeof known);
#if defined(__GNUC__)
    if (backworks_extensions == NULL) {
        return known;
    }
#endif
    const BackworksExtensions *table = backworks_extensions();
    if (table != NULL) {
        memcpy(&known, table, table->size < sizeof known ? table->size : sizeof known);
    }
    return known;
}

static BACKWORKS_UNUSED const char *backworks_test_last_error(void) {
    BackworksExtensions extensions = backworks_test_extensions();
    const char *text = extensions.last_error == NULL ? NULL : extensions.last_error();
    return text == NULL ? "no reason given" : text;
}

static BACKWORKS_UNUSED int32_t backworks_test_initialize(BackworksTestPlace place,
                                                          const char *config) {
    BackworksExtensions extensions = backworks_test_extensions();
    PluginInfo info = plugin_info();
    PluginVTable plugin = plugin_vtable();
    if (info.name == NULL || *info.name == '\0') {
        backworks_test_fail(place, "the plugin has no name");
    }
    const char *manifest = extensions.manifest == NULL ? NULL : extensions.manifest();
    if (manifest != NULL) {
        yyjson_doc_free(backworks_test_parse(place, "manifest()", manifest));
    }
    yyjson_doc_free(backworks_test_parse(place, "the configuration", config));
    (void)backworks_test_records();
    if (extensions.bind_host != NULL && extensions.bind_host(backworks_test_host()) != 0) {
        backworks_test_fail(place, "bind_host() failed: %s", backworks_test_last_error());
    }
    return plugin.initialize == NULL ? 0 : plugin.initialize(config);
}

static BACKWORKS_UNUSED void backworks_test_start(BackworksTestPlace place, const char *config) {
    if (backworks_test_initialize(place, config) != 0) {
        backworks_test_fail(place, "initialize() failed: %s", backworks_test_last_error());
    }
}

/* Starts the plugin with its configuration, a JSON object. */
#define BACKWORKS_TEST_START(config) backworks_test_start(BACKWORKS_TEST_HERE, config)

static BACKWORKS_UNUSED void backworks_test_expect_refused(BackworksTestPlace place,
                                                           const char *config, const char *part) {
    if (backworks_test_initialize(place, config) == 0) {
        backworks_test_fail(place, "the plugin started with %s, expected a refusal with: %s",
                            config, part);
    }
    const char *why = backworks_test_last_error();
    if (strstr(why, part) == NULL) {
        backworks_test_fail(place, "initialize() failed differently: %s; expected: %s", why, part);
    }
}

/* The plugin does not start with this configuration, and says why with a text that contains `part`. */
#define BACKWORKS_EXPECT_REFUSED(config, part)                                                     \
    backworks_test_expect_refused(BACKWORKS_TEST_HERE, config, part)

static BACKWORKS_UNUSED void backworks_test_reconfigure(BackworksTestPlace place,
                                                        const char *config) {
    BackworksExtensions extensions = backworks_test_extensions();
    if (extensions.reconfigure == NULL) {
        backworks_test_fail(place, "the plugin has no reconfigure()");
    }
    if (extensions.reconfigure(config) != 0) {
        backworks_test_fail(place, "reconfigure() failed: %s", backworks_test_last_error());
    }
}

/* Gives the running plugin another configuration. */
#define BACKWORKS_TEST_RECONFIGURE(config) backworks_test_reconfigure(BACKWORKS_TEST_HERE, config)

static BACKWORKS_UNUSED void backworks_test_stop(BackworksTestPlace place) {
    PluginVTable plugin = plugin_vtable();
    if (plugin.shutdown != NULL && plugin.shutdown() != 0) {
        backworks_test_fail(place, "shutdown() failed: %s", backworks_test_last_error());
    }
    backworks_test_lock(); /* frees what the plugin got last */
    for (size_t i = 0; i < backworks_test_answer_count; i++) {
        yyjson_doc_free(backworks_test_answers[i]);
    }
    free(backworks_test_answers);
    backworks_test_answers = NULL;
    backworks_test_answer_count = 0;
    yyjson_mut_doc_free(backworks_test_state.memory);
    backworks_test_state.memory = NULL;
    backworks_test_unlock();
}

/* Stops the plugin, and forgets what was recorded and prepared. Another BACKWORKS_TEST_START() may follow. */
#define BACKWORKS_TEST_STOP() backworks_test_stop(BACKWORKS_TEST_HERE)

/* Keeps a copy of what a function returned, and gives the string back. */
static BACKWORKS_UNUSED BackworksTestAnswer backworks_test_take(BackworksTestPlace place,
                                                                const char *function,
                                                                const char *returned) {
    BackworksExtensions extensions = backworks_test_extensions();
    BackworksTestAnswer answer;
    answer.function = function;
    answer.text = NULL;
    answer.json = NULL;
    answer.failure = backworks_test_records()->failure;
    backworks_test_records()->failure = NULL;
    if (returned == NULL) {
        return answer;
    }
    answer.text = yyjson_mut_get_str(backworks_test_string(returned));
    if (extensions.free_string != NULL) {
        extensions.free_string(returned);
    }
    if (answer.failure != NULL) {
        return answer; /* the server ignores the answer of a call that failed */
    }
    yyjson_doc *read = backworks_test_parse(place, function, answer.text);
    answer.json = yyjson_doc_get_root(read);
    size_t size = (backworks_test_answer_count + 1) * sizeof *backworks_test_answers;
    backworks_test_answers = (yyjson_doc **)realloc(backworks_test_answers, size);
    if (backworks_test_answers == NULL) {
        abort();
    }
    backworks_test_answers[backworks_test_answer_count++] = read;
    return answer;
}

static BACKWORKS_UNUSED void backworks_test_has(BackworksTestPlace place, const char *function,
                                                bool has) {
    if (!has) {
        backworks_test_fail(place, "the plugin has no %s()", function);
    }
    backworks_test_records()->failure = NULL;
}

static BACKWORKS_UNUSED BackworksTestAnswer backworks_test_before_request(BackworksTestPlace place,
                                                                          const char *request) {
    PluginVTable plugin = plugin_vtable();
    backworks_test_has(place, "before_request", plugin.before_request != NULL);
    return backworks_test_take(place, "before_request", plugin.before_request(request));
}

/* Calls before_request() with a request document. The answer is what the plugin returned. */
#define BACKWORKS_TEST_BEFORE_REQUEST(request)                                                     \
    backworks_test_before_request(BACKWORKS_TEST_HERE, request)

static BACKWORKS_UNUSED BackworksTestAnswer
backworks_test_process_endpoint(BackworksTestPlace place, const char *request) {
    PluginVTable plugin = plugin_vtable();
    backworks_test_has(place, "process_endpoint", plugin.process_endpoint != NULL);
    yyjson_doc *read = backworks_test_parse(place, "the request", request);
    yyjson_val *root = yyjson_doc_get_root(read);
    const char *route = yyjson_get_str(yyjson_obj_get(root, "route"));
    const char *path = yyjson_get_str(yyjson_obj_get(root, "path"));
    const char *method = yyjson_get_str(yyjson_obj_get(root, "method"));
    const char *returned = plugin.process_endpoint(route != NULL  ? route
                                                   : path != NULL ? path
                                                                  : "/",
                                                   method == NULL ? "GET" : method, request);
    BackworksTestAnswer answer = backworks_test_take(place, "process_endpoint", returned);
    yyjson_doc_free(read);
    return answer;
}

/* Calls process_endpoint(). Route and method are those of the document. */
#define BACKWORKS_TEST_PROCESS_ENDPOINT(request)                                                   \
    backworks_test_process_endpoint(BACKWORKS_TEST_HERE, request)

static BACKWORKS_UNUSED BackworksTestAnswer backworks_test_after_response(BackworksTestPlace place,
                                                                          const char *response) {
    PluginVTable plugin = plugin_vtable();
    backworks_test_has(place, "after_response", plugin.after_response != NULL);
    return backworks_test_take(place, "after_response", plugin.after_response(response));
}

/* Calls after_response() with a response document. */
#define BACKWORKS_TEST_AFTER_RESPONSE(response)                                                    \
    backworks_test_after_response(BACKWORKS_TEST_HERE, response)

static BACKWORKS_UNUSED BackworksTestAnswer backworks_test_perform(BackworksTestPlace place,
                                                                   const char *operation,
                                                                   const char *payload) {
    BackworksExtensions extensions = backworks_test_extensions();
    backworks_test_has(place, "call", extensions.call != NULL);
    return backworks_test_take(place, operation, extensions.call(operation, payload));
}

/* Calls an operation that the plugin provides to other plugins. */
#define BACKWORKS_TEST_OPERATION(operation, payload)                                               \
    backworks_test_perform(BACKWORKS_TEST_HERE, operation, payload)

/* 0 healthy, > 0 degraded, < 0 unhealthy; backworks_test_last_error() says why. */
static BACKWORKS_UNUSED int32_t backworks_test_health(void) {
    PluginVTable plugin = plugin_vtable();
    return plugin.health_check == NULL ? 0 : plugin.health_check();
}

#endif /* BACKWORKS_TEST_RUN_H */
