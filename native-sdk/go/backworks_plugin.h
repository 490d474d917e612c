/*
 * Backworks plugin ABI, version 1.
 *
 * SPDX-License-Identifier: MIT
 *
 * A plugin is a shared library (.so, .dylib, .dll) that exports two functions: plugin_info() and
 * plugin_vtable(). A plugin needs no more. A third function, backworks_extensions(), opens the
 * optional part of the ABI. The host is the Backworks server.
 *
 *   load ──▶ plugin_info() ──▶ plugin_vtable() ──▶ [backworks_extensions() ──▶ bind_host()]
 *        ──▶ initialize(config) ──▶ hooks, health_check(), any number of times ──▶ shutdown()
 *
 * STRINGS. Every string is UTF-8 and ends with a NUL byte; documents are JSON. Strings that the host
 * passes in belong to the host and are valid until the function returns: copy what you keep. The host
 * copies the strings that a plugin returns at once. If the extension table has free_string, the host
 * then passes each string of a hook to it exactly once. Without free_string the host never frees
 * anything, so static buffers, thread-local buffers and allocated strings are all correct.
 *
 * THREADS. The host calls [serial] functions one at a time, always on the same thread of a process. It
 * calls [hook] functions on that thread, too, unless the plugin sets BACKWORKS_THREAD_SAFE and the
 * operator asks for call threads. Then the host calls [hook] functions on several threads at once,
 * never on the thread of the [serial] functions. Call threads start after initialize() and last as long
 * as the process. A [serial] function never runs at the same time as a hook: it waits for the calls
 * that are running, and later calls wait for it. Functions of the host table are [any-thread].
 *
 * PATCHES. A hook changes a document with a merge patch (RFC 7396). Everything that the patch does not
 * name stays exactly as written: the digits of numbers, the order of members, repeated names and white
 * space. When a name occurs more than once, the last member counts. In a patch, the last member is
 * applied. In a document, the patch merges into the last member; all members of that name are removed,
 * and the result takes the position of the first. Bodies in answers are sent as the plugin writes them.
 *
 * UNWINDING. No C++ exception, Rust panic or longjmp may leave a function of this header.
 *
 * COMPATIBILITY. PluginInfo and PluginVTable are returned by value and therefore never change. New
 * members are appended to the end of a table whose first field is its own size. The reader of a table
 * reads only the members that both sides know. Nothing that was released is ever altered or removed.
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

/* The identity of the plugin. Each string is static for the life of the library. NULL reads as "". */
typedef struct PluginInfo {
    const char *name;        /* lower-case words joined by '-', at most 64 bytes: "weather" */
    const char *version;     /* semantic version: "1.2.0" */
    const char *description; /* one sentence for people */
} PluginInfo;

/* The functions of the plugin. A NULL member means "not implemented" and costs nothing at run time. */
typedef struct PluginVTable {
    /*
     * Prepares the plugin for work. Called once, before any other member.
     * Required: no.
     * config_json: the plugin's `config:` block as a JSON object, "{}" when there is none.
     * Returns: 0 when ready; any other value stops the start and is reported with last_error().
     * Owner: config_json is the host's, valid until return.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*initialize)(const char *config_json);

    /*
     * Ends the plugin's work. Called at most once, and only after initialize() returned 0. A process
     * that crashes or misses its deadline ends without this call.
     * Required: no.
     * Returns: 0 when everything was released; other values are logged.
     * Owner: nothing passes.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*shutdown)(void);

    /*
     * Reports the health of the plugin. Called from time to time between hooks.
     * Required: no; without it the plugin counts as healthy.
     * Returns: 0 healthy, > 0 degraded, < 0 unhealthy; explain with last_error().
     * Owner: nothing passes.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*health_check)(void);

    /*
     * Receives a request before its endpoint does.
     * Required: no.
     * request_json: the request document {id, method, path, route, params, query, headers, body,
     *   body_encoding, remote, context}.
     * Returns: NULL to leave the request unchanged; {"response": {"status", "headers", "body"}} to
     *   answer now; {"request": {...}} or any other object to change the request, as an RFC 7396
     *   merge patch. The document omits headers that concern only the client's connection.
     * Body: a body with a content-encoding is base64 of the bytes as sent, not decompressed; when a
     *   patch changes it, content-encoding is removed unless the same patch sets it. When no plugin
     *   needs the body (see body in manifest()), the document has "body": null and
     *   "body_streamed": true.
     * A plugin that denies requests (401, 403) sets "critical": true in its manifest. The host skips
     *   an optional plugin that crashes or misses its deadline, and the request passes unchecked.
     * Owner: request_json is the host's until return; the result stays the plugin's.
     * Thread: [hook].
     * Since: 1.
     */
    const char *(*before_request)(const char *request_json);

    /*
     * Receives a response before the client does.
     * Required: no.
     * response_json: the response document {status, headers, body, body_encoding, context, request},
     *   where request is {id, method, path, route}. The host does not buffer an event stream, or a body
     *   longer than server.body_limit, for the plugin: the document then has "body": null and
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
     * Answers a request, as an endpoint.
     * Required: no.
     * endpoint: the route as configured ("/weather/{city}"), or the request's path when no
     *   configured endpoint matched.
     * method: the HTTP method in upper case.
     * data_json: the request document, as in before_request.
     * Returns: NULL for "not mine"; an object with an integer "status" and a "body" (and optional
     *   "headers") as the whole response; any other JSON as the body of a 200. With
     *   "body_encoding": "base64" the body must be a string in padded base64 (RFC 4648 section 4),
     *   with "text" a string, and "json" sends any value as JSON; otherwise the call fails.
     * Owner: the arguments are the host's until return; the result stays the plugin's.
     * Thread: [hook].
     * Since: 1.
     */
    const char *(*process_endpoint)(const char *endpoint, const char *method,
                                    const char *data_json);
} PluginVTable;

/*
 * Identifies the plugin. Called during discovery, before any other function and without initialize().
 * Required: yes.
 * Returns: three static strings, by value.
 * Owner: the strings stay the plugin's and stay valid while the library is loaded.
 * Thread: [serial].
 * Since: 1.
 */
BACKWORKS_EXPORT PluginInfo plugin_info(void);

/*
 * Returns the plugin's functions. Called once after loading.
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

/* Limits of the key-value space, in bytes without the final NUL. */
#define BACKWORKS_KV_KEY_MAX 1024u
#define BACKWORKS_KV_VALUE_MAX 1048576u

/* Why kv_set() did not store a value. */
typedef enum BackworksKvStatus {
    BACKWORKS_KV_FULL = 1, /* the space has no room: see limits.kv in the configuration */
    BACKWORKS_KV_INVALID =
        2 /* the key or the value is too long or not UTF-8, or the key is empty */
} BackworksKvStatus;

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
     * Reads a value from the plugin's own key-value space. The host keeps the space in its memory, for all
     * processes and versions of the plugin, until the plugin is removed from the configuration or the
     * server ends. Each worker of a server has its own space.
     * Required: may be NULL.
     * key: 1 to BACKWORKS_KV_KEY_MAX bytes.
     * Returns: the value, or NULL when there is none.
     * Owner: the value is the host's, valid until the next host function on the same thread.
     * Thread: [any-thread] while a hook or initialize() runs.
     * Since: 1.
     */
    const char *(*kv_get)(const char *key);

    /*
     * Writes a value to the plugin's own key-value space; a NULL value removes the key.
     * Required: may be NULL.
     * key: 1 to BACKWORKS_KV_KEY_MAX bytes. value: at most BACKWORKS_KV_VALUE_MAX bytes.
     * ttl_seconds: how long the value is kept; 0 to keep it as long as the host's store exists.
     * Returns: 0 when stored or removed; any other value when not: a BackworksKvStatus. A write that fails
     *   changes nothing.
     * Owner: key and value stay the caller's.
     * Thread: [any-thread] while a hook or initialize() runs.
     * Since: 1.
     */
    int32_t (*kv_set)(const char *key, const char *value, uint32_t ttl_seconds);

    /*
     * Makes an HTTP request for the plugin, to an origin that permissions.network.fetch of the
     * configuration grants. Redirects are followed to granted origins, without credentials when the origin
     * changes. Requests of several threads of a process are made one after another, and kv and call() of
     * the other threads wait for them.
     * Required: may be NULL; always NULL when the plugin runs in the host's own process.
     * request_json: {method, url, headers, body, body_encoding, timeout_ms}; all but url are optional.
     *   headers: an object of strings or lists of strings. body: a string, sent as it is; a string in base64
     *   with "body_encoding": "base64"; any other value, sent as JSON. timeout_ms: at least 1. The request
     *   ends in any case before the deadline of the call.
     * Returns: {status, headers, body, body_encoding} or {error}; never NULL. Names of headers are in lower
     *   case, and set-cookie is a list. The body is a string: the text with "body_encoding": "text", or
     *   base64 when it is not UTF-8. It is unpacked when it was compressed, and at most 4 MiB long. error:
     *   one sentence.
     * Owner: the result is the host's, valid until the next host function on the same thread.
     * Thread: [any-thread] while a hook or initialize() runs.
     * Since: 1.
     */
    const char *(*http_fetch)(const char *request_json);

    /*
     * Calls an operation of another plugin, under that plugin's own deadline.
     * Required: may be NULL; always NULL when the plugin runs in the host's own process.
     * plugin: the name of a plugin in the manifest's dependencies; NULL for the dependency that
     *   provides the operation.
     * operation: an operation that the other plugin's manifest lists in its capabilities.
     * payload_json: NULL counts as "null".
     * Returns: that operation's JSON; NULL when the operation returned NULL, failed or is not allowed.
     * Owner: the result is the host's, valid until the next host function on the same thread.
     * Thread: [any-thread] while a hook runs.
     * Since: 1.
     */
    const char *(*call)(const char *plugin, const char *operation, const char *payload_json);

    /*
     * Returns how much time the running call has left.
     * Required: may be NULL.
     * Returns: milliseconds; 0 when the time is up; -1 when there is no deadline. When several calls
     *   run at once, each call has its own deadline, and a thread that the plugin made has none.
     * Owner: nothing passes.
     * Thread: [any-thread] while a hook runs.
     * Since: 1.
     */
    int64_t (*deadline_left_ms)(void);

    /*
     * Reports whether the answer of the running call is still wanted.
     * Required: may be NULL.
     * Returns: 1 when the deadline has passed, so that the host no longer waits; otherwise 0. When
     *   several calls run at once, always 0 on a thread that the plugin made.
     * Owner: nothing passes.
     * Thread: [any-thread] while a hook runs.
     * Since: 1.
     */
    int32_t (*cancelled)(void);

    /*
     * Makes the running call fail. The host ignores what the function then returns and treats the call
     * as a failure of the plugin: it skips an optional plugin, and answers the request with an error
     * when the plugin is critical. Without fail(), a plugin that cannot do its work can only end its
     * process, or return NULL, which lets the request pass.
     * Required: may be NULL.
     * message: why, in one sentence for the operator; cut at 8 KiB. Clients do not see it.
     * Returns: nothing. When a call uses fail() twice, the last message counts.
     * Owner: message stays the caller's.
     * Thread: the thread of the hook or call(); on any other thread fail() does nothing.
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
 * The host may call the hooks on several threads at once. It may call free_string() on several threads,
 * too, each string on the thread that returned it. A string that stays the plugin's must then be
 * private to the thread until the call that returned it is over: a constant, a thread-local or an
 * allocated string, but not a static buffer.
 */
#define BACKWORKS_THREAD_SAFE (UINT64_C(1) << 0)

/* The optional functions. A static table; NULL members mean "not implemented". */
typedef struct BackworksExtensions {
    /* sizeof(BackworksExtensions) as the plugin knows it. Since: 1. */
    uint32_t size;

    /* The lowest ABI version the plugin needs; a host with a lower version refuses it. Since: 1. */
    uint32_t abi_version;

    /* BACKWORKS_* flags; unknown bits are ignored. Since: 1. */
    uint64_t flags;

    /*
     * Describes the plugin. Called during discovery, without initialize().
     * Required: no.
     * Returns: a JSON object {hooks, capabilities, dependencies, config_schema, permissions,
     *   max_execution_time_ms, critical, priority, body, author, license, backworks}; every key is
     *   optional.
     *   max_execution_time_ms: a whole number from 1 to 999999999. priority: a whole number from
     *   -1000000 to 1000000. critical: requests that the plugin should see are refused while it fails;
     *   false without the key.
     *   body: the bodies that the hooks need: {"request": "none" or "buffer", "response": "none",
     *   "auto" or "buffer"}, or one of "none" and "buffer" for both. Without it request is buffer
     *   and response is auto. With none, bodies are streamed past the hook, and a hook that changes the
     *   body anyway fails. process_endpoint always gets the body of the request.
     *   capabilities: names of operations that call() performs, such as "storage.kv.get".
     *   dependencies: names of plugins, or objects {name or capability, version, optional}, with
     *   version a semver range. A plugin starts after the plugins it needs, and not without them.
     *   backworks: a semver range of the host versions the plugin works with, such as ">=0.1"; any
     *   other host refuses the plugin.
     *   Names have at most 128 characters, ranges 256, other texts 1024, and lists 1024 items.
     * Owner: static, stays the plugin's.
     * Thread: [serial].
     * Since: 1.
     */
    const char *(*manifest)(void);

    /*
     * Receives back a string that a hook or call() returned. Strings of manifest(), last_error() and
     * plugin_info() are static and are never passed to free_string().
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
     * Returns: 0 to continue; any other value stops the start.
     * Owner: host stays the host's.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*bind_host)(const BackworksHost *host);

    /*
     * Performs an operation the manifest declares as a capability, such as
     * "security.authenticate" or "analytics.report".
     * Required: no.
     * Returns: JSON; NULL when the operation has no result or is unknown.
     * Owner: the arguments are the host's until return; the result stays the plugin's.
     * Thread: [hook].
     * Since: 1.
     */
    const char *(*call)(const char *operation, const char *payload_json);

    /*
     * Applies a new configuration while the plugin runs. Without it, the host replaces the process when
     * the configuration changes.
     * Required: no.
     * Returns: 0 when applied; any other value when the old configuration stays active.
     * Owner: config_json is the host's until return.
     * Thread: [serial].
     * Since: 1.
     */
    int32_t (*reconfigure)(const char *config_json);
} BackworksExtensions;

/*
 * Opens the optional part of the ABI. Called once, after plugin_vtable().
 * Required: no; a library without this symbol is a complete plugin.
 * Returns: a static table, or NULL for none.
 * Owner: the table stays the plugin's and is valid while the library is loaded.
 * Thread: [serial].
 * Since: 1.
 */
BACKWORKS_EXPORT const BackworksExtensions *backworks_extensions(void);

#ifdef __cplusplus
}
#endif

#endif /* BACKWORKS_PLUGIN_H */
