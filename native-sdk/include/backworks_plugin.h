/*
 * Backworks plugin ABI, version 1.
 *
 * SPDX-License-Identifier: MIT
 *
 * A plugin is a shared library (.so, .dylib, .dll) that exports two functions: plugin_info() and
 * plugin_vtable(). That is all a plugin needs. A third function, backworks_extensions(), opens the
 * optional part of the ABI.
 *
 *   load ──▶ plugin_info() ──▶ plugin_vtable() ──▶ [backworks_extensions() ──▶ bind_host()]
 *        ──▶ initialize(config) ──▶ hooks, health_check(), any number of times ──▶ shutdown()
 *
 * STRINGS. Every string is UTF-8 and ends with a NUL byte; documents are JSON. Strings the host
 * passes in belong to the host and are valid until the function returns: copy what you keep.
 * Strings a plugin returns are copied by the host at once. If the extension table has free_string,
 * the host then hands each hook's string back through it exactly once; without it the host never
 * frees anything, so static buffers, thread-local buffers and allocated strings are all correct.
 *
 * THREADS. [serial] functions are called one at a time, always on the same thread of one process.
 * A plugin that sets BACKWORKS_THREAD_SAFE may see its [hook] functions called on several threads at
 * once, all others of the host's than that of the [serial] functions, if its operator asks for it. The
 * threads begin after initialize() and last as long as the process. All other functions stay [serial],
 * and none of them runs while a hook does: calls under way are waited for first, later ones wait.
 * Functions of the host table are [any-thread].
 *
 * PATCHES. A hook changes a document with a merge patch (RFC 7396). What the patch does not name stays
 * as it was written: the digits of numbers, the order of members, repeated names, white space. Where
 * a name occurs more than once, the last member counts: in a patch it is the one that is applied; in a
 * document it is the one that an object of the patch is merged into, all members of that name are
 * removed or replaced, and the result stands in the place of the first. Bodies in answers go out as
 * the plugin writes them.
 *
 * UNWINDING. No C++ exception, Rust panic or longjmp may leave a function of this header.
 *
 * GROWTH. PluginInfo and PluginVTable are returned by value and therefore never change. Everything
 * new is appended to the end of a table whose first field is its own size; whoever reads a table
 * reads only as much as both sides know. A released entity is never altered or removed.
 */
#ifndef BACKWORKS_PLUGIN_H
#define BACKWORKS_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

/* The ABI version described by this header. A plugin states the lowest version it needs. */
#define BACKWORKS_ABI_VERSION 1u

#if defined(_WIN32)
#define BACKWORKS_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define BACKWORKS_EXPORT __attribute__((visibility("default")))
#else
#define BACKWORKS_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * The frozen part
 * --------------------------------------------------------------------------------------------- */

/* Who the plugin is. Each string is static for the life of the library.
 * A NULL member reads as "". */
typedef struct PluginInfo {
    const char *name;        /* lower-case words joined by '-', at most 64 bytes: "weather" */
    const char *version;     /* semantic version: "1.2.0" */
    const char *description; /* one sentence for people */
} PluginInfo;

/* What the plugin does. A NULL member means "not implemented" and costs nothing at run time. */
typedef struct PluginVTable {
    /*
     * Prepares the plugin for work. Called once, before any other member.
     * Required: no.
     * config_json: the plugin's `config:` block as a JSON object, "{}" when there is none.
     * Returns: 0 when ready; any other value refuses to start and is reported with last_error().
     * Owner: config_json is the host's, valid until return.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*initialize)(const char *config_json);

    /*
     * Ends the plugin's work. Called at most once, only after initialize() returned 0; the process
     * may end without it (crash, deadline).
     * Required: no.
     * Returns: 0 when everything was put away; other values are logged.
     * Owner: nothing passes.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*shutdown)(void);

    /*
     * Tells how the plugin is. Called from time to time between hooks.
     * Required: no; without it the plugin counts as healthy.
     * Returns: 0 healthy, > 0 degraded, < 0 unhealthy; explain with last_error().
     * Owner: nothing passes.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*health_check)(void);

    /*
     * Sees a request before its endpoint does.
     * Required: no.
     * request_json: the request document {id, method, path, route, params, query, headers, body,
     *   body_encoding, remote, context}.
     * Returns: NULL to leave the request unchanged; {"response": {"status", "headers", "body"}} to
     *   answer now; {"request": {...}} or any other object to change the request, as an RFC 7396
     *   merge patch. The document has no header that concerns only the client's connection.
     * A plugin that denies requests (401, 403) sets "critical": true in its manifest. When an optional
     *   plugin fails, crashes or misses its deadline, requests pass without it.
     * Owner: request_json is the host's until return; the result stays the plugin's.
     * Thread: [hook].
     * Since: 1.
     */
    const char *(*before_request)(const char *request_json);

    /*
     * Sees a response before the client does.
     * Required: no.
     * response_json: the response document {status, headers, body, body_encoding, context, request},
     *   where request is {id, method, path, route}. An event stream, and a body longer than
     *   server.body_limit, are not held for the plugin: the document then has "body": null and
     *   "body_streamed": true. A patch that sets a body replaces the stream.
     * Returns: NULL to leave the response unchanged; {"response": {...}} or any other object to
     *   change it, as an RFC 7396 merge patch. When the patch changes the body, etag, last-modified,
     *   digests and ranges are removed unless the same patch sets them to new values.
     * Owner: response_json is the host's until return; the result stays the plugin's.
     * Thread: [hook].
     * Since: 1.
     */
    const char *(*after_response)(const char *response_json);

    /*
     * Answers a request.
     * Required: no.
     * endpoint: the route as configured ("/weather/{city}"), or the request's path when no
     *   configured endpoint matched.
     * method: the HTTP method in upper case.
     * data_json: the request document, as in before_request.
     * Returns: NULL for "not mine"; an object with an integer "status" and a "body" (and optional
     *   "headers") as the whole response; any other JSON as the body of a 200. With
     *   "body_encoding": "base64" the body is a string in padded base64 (RFC 4648 section 4); one
     *   that is not fails the call.
     * Owner: the arguments are the host's until return; the result stays the plugin's.
     * Thread: [hook].
     * Since: 1.
     */
    const char *(*process_endpoint)(const char *endpoint, const char *method,
                                    const char *data_json);
} PluginVTable;

/*
 * Names the plugin. Called during discovery, before anything else and without initialize().
 * Required: yes.
 * Returns: three static strings, by value.
 * Owner: the strings stay the plugin's and stay valid while the library is loaded.
 * Thread: [serial].
 * Since: 1.
 */
BACKWORKS_EXPORT PluginInfo plugin_info(void);

/*
 * Hands over the plugin's functions. Called once after loading.
 * Required: yes.
 * Returns: six function pointers, by value.
 * Owner: the functions stay valid while the library is loaded.
 * Thread: [serial].
 * Since: 1.
 */
BACKWORKS_EXPORT PluginVTable plugin_vtable(void);

/* ------------------------------------------------------------------------------------------------
 * What the host offers (optional for a plugin to use)
 * --------------------------------------------------------------------------------------------- */

/* Severity of a log line. */
typedef enum BackworksLogLevel {
    BACKWORKS_LOG_DEBUG = 0,
    BACKWORKS_LOG_INFO = 1,
    BACKWORKS_LOG_WARN = 2,
    BACKWORKS_LOG_ERROR = 3
} BackworksLogLevel;

/*
 * Functions of the host. Before using a member, check that `size` reaches it and that it is not
 * NULL: a host that does not offer a service leaves its member NULL. BACKWORKS_HOST_HAS() does both.
 */
typedef struct BackworksHost {
    /* sizeof(BackworksHost) as the host knows it. Since: 1. */
    uint32_t size;

    /* The ABI version the host speaks. Since: 1. */
    uint32_t abi_version;

    /*
     * Writes one log line under the plugin's name.
     * Required: may be NULL.
     * level: a BackworksLogLevel; other values count as BACKWORKS_LOG_INFO.
     * message: the text, without a final line break; cut at 8 KiB.
     * Returns: nothing.
     * Owner: message stays the caller's.
     * Thread: [any-thread].
     * Since: 1.
     */
    void (*log)(int32_t level, const char *message);

    /*
     * Adds to a counter that the host exports as backworks_plugin_custom_total{plugin,name}.
     * Required: may be NULL.
     * name: [a-z0-9_], at most 64 bytes; the host keeps at most 100 names per plugin.
     * delta: how much to add; negative and non-finite values are ignored.
     * Returns: nothing.
     * Owner: name stays the caller's.
     * Thread: [any-thread].
     * Since: 1.
     */
    void (*metric)(const char *name, double delta);

    /*
     * Reads a value from the plugin's own key-value space.
     * Required: may be NULL.
     * Returns: the value, or NULL when there is none.
     * Owner: the value is the host's, valid until the next host function on the same thread.
     * Thread: [any-thread] while a hook or initialize() runs.
     * Since: 1.
     */
    const char *(*kv_get)(const char *key);

    /*
     * Writes a value to the plugin's own key-value space; a NULL value removes the key.
     * Required: may be NULL.
     * ttl_seconds: how long the value lives; 0 for as long as the host's store does.
     * Returns: 0 when stored, other values when not.
     * Owner: key and value stay the caller's.
     * Thread: [any-thread] while a hook or initialize() runs.
     * Since: 1.
     */
    int32_t (*kv_set)(const char *key, const char *value, uint32_t ttl_seconds);

    /*
     * Makes an HTTP request on the plugin's behalf, to an origin its permissions name.
     * Required: may be NULL.
     * request_json: {method, url, headers, body, timeout_ms}.
     * Returns: {status, headers, body} or {error}; never NULL.
     * Owner: the result is the host's, valid until the next host function on the same thread.
     * Thread: [any-thread] while a hook or initialize() runs.
     * Since: 1.
     */
    const char *(*http_fetch)(const char *request_json);

    /*
     * Calls an operation of another plugin, under that plugin's own deadline.
     * Required: may be NULL, as it is where the plugin runs in the host's own process.
     * plugin: the name of a plugin that the manifest's dependencies name; NULL for whichever of them
     *   provides the operation.
     * operation: one that the other plugin's manifest lists among its capabilities.
     * payload_json: NULL counts as "null".
     * Returns: that operation's JSON, or NULL when it answered nothing, failed or may not be asked.
     * Owner: the result is the host's, valid until the next host function on the same thread.
     * Thread: [any-thread] while a hook runs.
     * Since: 1.
     */
    const char *(*call)(const char *plugin, const char *operation, const char *payload_json);

    /*
     * Tells how long the running call may still take.
     * Required: may be NULL.
     * Returns: milliseconds, 0 when the time is up, -1 when there is no deadline. Where several calls
     *   run at once, each has its own, and a thread the plugin made itself has none.
     * Owner: nothing passes.
     * Thread: [any-thread] while a hook runs.
     * Since: 1.
     */
    int64_t (*deadline_left_ms)(void);

    /*
     * Tells whether the running call's answer is still wanted.
     * Required: may be NULL.
     * Returns: 1 when nobody waits for it any more, else 0. Where several calls run at once, always 0
     *   on a thread the plugin made itself.
     * Owner: nothing passes.
     * Thread: [any-thread] while a hook runs.
     * Since: 1.
     */
    int32_t (*cancelled)(void);

    /*
     * Makes the running call fail. The host ignores what the function then returns, as the plugin's
     * failure: an optional plugin is passed over, a critical one answers the request with an error.
     * Without it a plugin can only end its process, or answer NULL, which lets the request pass.
     * Required: may be NULL.
     * message: why, in one sentence for the operator; cut at 8 KiB. Clients do not see it.
     * Returns: nothing. The last message of a call counts.
     * Owner: message stays the caller's.
     * Thread: the thread of the hook or call(); elsewhere it does nothing.
     * Since: 1.
     */
    void (*fail)(const char *message);
} BackworksHost;

/* True when the host offers `member`: if (BACKWORKS_HOST_HAS(host, log)) host->log(...); */
#define BACKWORKS_HOST_HAS(host, member)                                                           \
    ((host) != NULL && (host)->size >= offsetof(BackworksHost, member) + sizeof((host)->member) && \
     (host)->member != NULL)

/* ------------------------------------------------------------------------------------------------
 * What a plugin may add (optional)
 * --------------------------------------------------------------------------------------------- */

/*
 * The hooks may be called on several threads at once; so may free_string(), each string on the thread
 * that returned it. A string that stays the plugin's must then be the thread's own until the call that
 * returned it is over: no static buffer, but a constant, thread-local or allocated one.
 */
#define BACKWORKS_THREAD_SAFE (UINT64_C(1) << 0)

/* Everything beyond the vtable. A static table; NULL members mean "not implemented". */
typedef struct BackworksExtensions {
    /* sizeof(BackworksExtensions) as the plugin knows it. Since: 1. */
    uint32_t size;

    /* The lowest ABI version the plugin needs; a host that speaks less refuses it. Since: 1. */
    uint32_t abi_version;

    /* BACKWORKS_* flags; unknown bits are ignored. Since: 1. */
    uint64_t flags;

    /*
     * Describes the plugin. Called during discovery, without initialize().
     * Required: no.
     * Returns: a JSON object {hooks, capabilities, dependencies, config_schema, permissions,
     *   max_execution_time_ms, critical, priority, author, license, backworks}; every key is optional.
     *   max_execution_time_ms: a whole number from 1 to 999999999. priority: a whole number from
     *   -1000000 to 1000000. critical: requests that the plugin should see are refused while it fails;
     *   false without the key.
     *   capabilities: names of operations that call() performs, such as "storage.kv.get".
     *   dependencies: names of plugins, or objects {name or capability, version, optional}, with
     *   version a semver range. A plugin starts after those it needs, and not without them.
     *   backworks: a semver range of the host versions the plugin works with, such as ">=0.1"; any
     *   other host refuses it.
     * Owner: static, stays the plugin's.
     * Thread: [serial].
     * Since: 1.
     */
    const char *(*manifest)(void);

    /*
     * Takes back a string returned by a hook or by call(). manifest(), last_error() and
     * plugin_info() strings are static and never handed back.
     * Required: no; without it the host frees nothing.
     * string: never NULL.
     * Returns: nothing.
     * Owner: string passes back to the plugin.
     * Thread: the thread of the call that returned the string.
     * Since: 1.
     */
    void (*free_string)(const char *string);

    /*
     * Explains the last non-zero return of initialize(), shutdown(), health_check(), bind_host() or
     * reconfigure().
     * Required: no.
     * Returns: one sentence, or NULL.
     * Owner: the plugin's, valid until its next function is called.
     * Thread: [serial], right after the function it explains.
     * Since: 1.
     */
    const char *(*last_error)(void);

    /*
     * Gives the plugin the host's functions. Called once, before initialize().
     * Required: no.
     * host: valid while the library is loaded.
     * Returns: 0 to go on; any other value refuses to start.
     * Owner: host stays the host's.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*bind_host)(const BackworksHost *host);

    /*
     * Performs an operation the manifest declares as a capability, such as
     * "security.authenticate" or "analytics.report".
     * Required: no.
     * Returns: JSON, or NULL when the operation answers nothing or is not known.
     * Owner: the arguments are the host's until return; the result stays the plugin's.
     * Thread: [hook].
     * Since: 1.
     */
    const char *(*call)(const char *operation, const char *payload_json);

    /*
     * Takes a new configuration while running. Without it a change of configuration replaces the
     * process.
     * Required: no.
     * Returns: 0 when in force; any other value leaves the old configuration in force.
     * Owner: config_json is the host's until return.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*reconfigure)(const char *config_json);
} BackworksExtensions;

/*
 * Opens the optional part of the ABI. Called once, after plugin_vtable().
 * Required: no; a library without this symbol is a full citizen.
 * Returns: a static table, or NULL for none.
 * Owner: the table stays the plugin's and valid while the library is loaded.
 * Thread: [serial].
 * Since: 1.
 */
BACKWORKS_EXPORT const BackworksExtensions *backworks_extensions(void);

#ifdef __cplusplus
}
#endif

#endif /* BACKWORKS_PLUGIN_H */
