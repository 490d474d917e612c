/*
 * The mock server: records what the plugin does through the host table, and answers as the test says. Nothing
 * is recorded for good: BACKWORKS_TEST_STOP() forgets everything. Functions of the plugin's threads may use the
 * host table at any time; the functions for tests are called by one thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_TEST_HOST_H
#define BACKWORKS_TEST_HOST_H

#include <backworks_plugin.h>

#include "check.h"

#if defined(_MSC_VER)
#define BACKWORKS_TEST_THREAD __declspec(thread)
#elif defined(__cplusplus)
#define BACKWORKS_TEST_THREAD thread_local
#else
#define BACKWORKS_TEST_THREAD _Thread_local
#endif

typedef struct BackworksTestHost {
    BackworksHost table;
    yyjson_mut_doc *memory;
    yyjson_mut_val *log;        /* [[level, text]] */
    yyjson_mut_val *counters;   /* {name: sum} */
    yyjson_mut_val *values;     /* {key: [value, end in ms or 0]} */
    yyjson_mut_val *responses;  /* [[url, answer]], which the plugin gets from http_fetch() */
    yyjson_mut_val *fetched;    /* [request] */
    yyjson_mut_val *operations; /* [[name, answer]], which the plugin gets from call() */
    yyjson_mut_val *called;     /* [[operation, payload]] */
    const char *failure;
    int64_t now_ms;
    int64_t deadline_ms; /* -1 for none */
    bool cancelled;
    bool is_locked;
} BackworksTestHost;

static BackworksTestHost backworks_test_state;
/* What the plugin got last on this thread. It ends with the next function of the host. */
static BACKWORKS_TEST_THREAD char *backworks_test_lent;

static inline void backworks_test_lock(void) {
#if defined(__GNUC__)
    while (__atomic_test_and_set(&backworks_test_state.is_locked, __ATOMIC_ACQUIRE)) {
    }
#endif
    /* A plugin that keeps a string of the host for too long shows it here, and not only in production. */
    if (backworks_test_lent != NULL) {
        memset(backworks_test_lent, '?', strlen(backworks_test_lent));
        free(backworks_test_lent);
        backworks_test_lent = NULL;
    }
}

static inline void backworks_test_unlock(void) {
#if defined(__GNUC__)
    __atomic_clear(&backworks_test_state.is_locked, __ATOMIC_RELEASE);
#endif
}

/* The records, made when they are first needed. */
static BACKWORKS_UNUSED BackworksTestHost *backworks_test_records(void) {
    BackworksTestHost *host = &backworks_test_state;
    if (host->memory == NULL) {
        yyjson_mut_doc *memory = yyjson_mut_doc_new(NULL);
        if (memory == NULL) {
            abort();
        }
        host->log = yyjson_mut_arr(memory);
        host->counters = yyjson_mut_obj(memory);
        host->values = yyjson_mut_obj(memory);
        host->responses = yyjson_mut_arr(memory);
        host->fetched = yyjson_mut_arr(memory);
        host->operations = yyjson_mut_arr(memory);
        host->called = yyjson_mut_arr(memory);
        host->failure = NULL;
        host->now_ms = 0;
        host->deadline_ms = -1;
        host->cancelled = false;
        host->memory = memory;
    }
    return host;
}

static BACKWORKS_UNUSED yyjson_mut_val *backworks_test_string(const char *text) {
    yyjson_mut_doc *memory = backworks_test_records()->memory;
    return text == NULL ? yyjson_mut_null(memory) : yyjson_mut_strcpy(memory, text);
}

static BACKWORKS_UNUSED void backworks_test_pair(yyjson_mut_val *list, const char *first,
                                                 const char *second) {
    yyjson_mut_val *pair = yyjson_mut_arr_add_arr(backworks_test_records()->memory, list);
    yyjson_mut_arr_append(pair, backworks_test_string(first));
    yyjson_mut_arr_append(pair, backworks_test_string(second));
}

static BACKWORKS_UNUSED const char *backworks_test_item(yyjson_mut_val *pair, size_t index) {
    return yyjson_mut_get_str(yyjson_mut_arr_get(pair, index));
}

/* A copy that the plugin may read until it calls the host again. */
static BACKWORKS_UNUSED const char *backworks_test_lend(const char *text) {
    if (text != NULL) {
        size_t size = strlen(text) + 1;
        backworks_test_lent = (char *)malloc(size);
        if (backworks_test_lent == NULL) {
            abort();
        }
        memcpy(backworks_test_lent, text, size);
    }
    return backworks_test_lent;
}

/* ---- The host table ------------------------------------------------------------------------------------- */

static BACKWORKS_UNUSED void backworks_test_host_log(int32_t level, const char *message) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    backworks_test_lock();
    backworks_test_pair(backworks_test_records()->log,
                        names[level >= 0 && level <= 3 ? level : BACKWORKS_LOG_INFO], message);
    backworks_test_unlock();
}

static BACKWORKS_UNUSED void backworks_test_host_metric(const char *name, double delta) {
    backworks_test_lock();
    BackworksTestHost *host = backworks_test_records();
    if (delta >= 0 && delta - delta == 0) {
        double sum = yyjson_mut_get_num(yyjson_mut_obj_get(host->counters, name));
        yyjson_mut_obj_put(host->counters, backworks_test_string(name),
                           yyjson_mut_real(host->memory, sum + delta));
    }
    backworks_test_unlock();
}

static BACKWORKS_UNUSED const char *backworks_test_value(const char *key) {
    BackworksTestHost *host = backworks_test_records();
    yyjson_mut_val *entry = yyjson_mut_obj_get(host->values, key);
    int64_t end = yyjson_mut_get_sint(yyjson_mut_arr_get(entry, 1));
    return end != 0 && end <= host->now_ms ? NULL : backworks_test_item(entry, 0);
}

static BACKWORKS_UNUSED const char *backworks_test_host_kv_get(const char *key) {
    backworks_test_lock();
    const char *value = backworks_test_lend(backworks_test_value(key));
    backworks_test_unlock();
    return value;
}

static BACKWORKS_UNUSED int32_t backworks_test_host_kv_set(const char *key, const char *value,
                                                           uint32_t ttl_seconds) {
    size_t size = strlen(key);
    if (size == 0 || size > BACKWORKS_KV_KEY_MAX ||
        (value != NULL && strlen(value) > BACKWORKS_KV_VALUE_MAX)) {
        return BACKWORKS_KV_INVALID;
    }
    backworks_test_lock();
    BackworksTestHost *host = backworks_test_records();
    yyjson_mut_obj_remove_key(host->values, key);
    if (value != NULL) {
        yyjson_mut_val *entry = yyjson_mut_arr(host->memory);
        int64_t end = ttl_seconds == 0 ? 0 : host->now_ms + (int64_t)ttl_seconds * 1000;
        yyjson_mut_arr_append(entry, backworks_test_string(value));
        yyjson_mut_arr_append(entry, yyjson_mut_sint(host->memory, end));
        yyjson_mut_obj_put(host->values, backworks_test_string(key), entry);
    }
    backworks_test_unlock();
    return 0;
}

/* The answer of the first entry of this name, which is then used up unless it is the last of that name. */
static BACKWORKS_UNUSED const char *backworks_test_scripted(yyjson_mut_val *list,
                                                            const char *name) {
    size_t index, count, first = 0, found = 0;
    yyjson_mut_val *entry, *answer = NULL;
    yyjson_mut_arr_foreach(list, index, count, entry) {
        const char *wanted = backworks_test_item(entry, 0);
        if (wanted != NULL && name != NULL && strcmp(wanted, name) == 0 && found++ == 0) {
            answer = entry;
            first = index;
        }
    }
    if (found > 1) {
        yyjson_mut_arr_remove(list, first);
    }
    return backworks_test_item(answer, 1);
}

static BACKWORKS_UNUSED const char *backworks_test_host_http_fetch(const char *request_json) {
    backworks_test_lock();
    BackworksTestHost *host = backworks_test_records();
    yyjson_doc *read = yyjson_read(request_json, strlen(request_json), YYJSON_READ_NOFLAG);
    const char *url = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(read), "url"));
    yyjson_mut_arr_append(host->fetched, backworks_test_string(request_json));
    const char *answer = backworks_test_scripted(host->responses, url);
    if (read == NULL) {
        answer = "{\"error\":\"the request is not JSON\"}";
    } else if (answer == NULL) {
        answer = "{\"error\":\"the test has no response for this URL\"}";
    }
    answer = backworks_test_lend(answer);
    yyjson_doc_free(read);
    backworks_test_unlock();
    return answer;
}

static BACKWORKS_UNUSED const char *
backworks_test_host_call(const char *plugin, const char *operation, const char *payload_json) {
    (void)plugin;
    backworks_test_lock();
    BackworksTestHost *host = backworks_test_records();
    backworks_test_pair(host->called, operation, payload_json == NULL ? "null" : payload_json);
    const char *answer = backworks_test_lend(backworks_test_scripted(host->operations, operation));
    backworks_test_unlock();
    return answer;
}

static BACKWORKS_UNUSED int64_t backworks_test_host_deadline_left_ms(void) {
    backworks_test_lock();
    const BackworksTestHost *host = backworks_test_records();
    int64_t left = host->deadline_ms - host->now_ms;
    left = host->deadline_ms < 0 ? -1 : left < 0 ? 0 : left;
    backworks_test_unlock();
    return left;
}

static BACKWORKS_UNUSED int32_t backworks_test_host_cancelled(void) {
    return backworks_test_host_deadline_left_ms() == 0 || backworks_test_records()->cancelled;
}

static BACKWORKS_UNUSED void backworks_test_host_fail(const char *message) {
    backworks_test_lock();
    backworks_test_records()->failure = yyjson_mut_get_str(backworks_test_string(message));
    backworks_test_unlock();
}

/* The table that the plugin gets. Set a member to NULL before BACKWORKS_TEST_START() to take a service away. */
static BACKWORKS_UNUSED BackworksHost *backworks_test_host(void) {
    BackworksHost *table = &backworks_test_state.table;
    if (table->size == 0) {
        table->size = sizeof *table;
        table->abi_version = BACKWORKS_ABI_VERSION;
        table->log = backworks_test_host_log;
        table->metric = backworks_test_host_metric;
        table->kv_get = backworks_test_host_kv_get;
        table->kv_set = backworks_test_host_kv_set;
        table->http_fetch = backworks_test_host_http_fetch;
        table->call = backworks_test_host_call;
        table->deadline_left_ms = backworks_test_host_deadline_left_ms;
        table->cancelled = backworks_test_host_cancelled;
        table->fail = backworks_test_host_fail;
    }
    return table;
}

/* ---- What a test prepares and reads ---------------------------------------------------------------------- */

static BACKWORKS_UNUSED const char *backworks_test_logged_text(const char *level,
                                                               const char *part) {
    size_t index, count;
    yyjson_mut_val *line;
    yyjson_mut_arr_foreach(backworks_test_records()->log, index, count, line) {
        const char *text = backworks_test_item(line, 1);
        bool fits = level == NULL || strcmp(level, backworks_test_item(line, 0)) == 0;
        if (fits && text != NULL && strstr(text, part) != NULL) {
            return text;
        }
    }
    return NULL;
}

static BACKWORKS_UNUSED void backworks_test_expect_logged(BackworksTestPlace place,
                                                          const char *level, const char *part) {
    if (backworks_test_logged_text(level, part) == NULL) {
        char *all = yyjson_mut_val_write(backworks_test_records()->log, YYJSON_WRITE_NOFLAG, NULL);
        backworks_test_fail(place, "no %s line contains \"%s\"; logged: %s",
                            level == NULL ? "log" : level, part, all == NULL ? "nothing" : all);
    }
}

/* The plugin logged a line with this text. `level`: "debug", "info", "warn", "error", or NULL for any. */
#define BACKWORKS_EXPECT_LOGGED(level, part)                                                       \
    backworks_test_expect_logged(BACKWORKS_TEST_HERE, level, part)

/* The sum of a counter; 0 when the plugin did not raise it. */
static BACKWORKS_UNUSED double backworks_test_metric(const char *name) {
    return yyjson_mut_get_num(yyjson_mut_obj_get(backworks_test_records()->counters, name));
}

/* A value of the plugin's key-value space; NULL without one. Valid until BACKWORKS_TEST_STOP(). */
static BACKWORKS_UNUSED const char *backworks_test_kv(const char *key) {
    return backworks_test_value(key);
}

/* Sets a value, or removes it: `value` is NULL. */
static BACKWORKS_UNUSED void backworks_test_kv_set(const char *key, const char *value) {
    (void)backworks_test_host_kv_set(key, value, 0);
}

/*
 * What http_fetch() answers for a URL: {status, headers, body, body_encoding} or {error}. Several answers for
 * one URL are given in order, the last one again and again. Any other URL gets an error.
 */
static BACKWORKS_UNUSED void backworks_test_fetch_answer(const char *url, const char *answer_json) {
    backworks_test_pair(backworks_test_records()->responses, url, answer_json);
}

/* The document of a request that the plugin made, as text; the first one has index 0. NULL without one. */
static BACKWORKS_UNUSED const char *backworks_test_fetched(size_t index) {
    return backworks_test_item(backworks_test_records()->fetched, index);
}

/* What call() answers for an operation of another plugin, as JSON; in order, as backworks_test_fetch_answer(). */
static BACKWORKS_UNUSED void backworks_test_operation_answer(const char *operation,
                                                             const char *answer_json) {
    backworks_test_pair(backworks_test_records()->operations, operation, answer_json);
}

/* The payload that the plugin passed to an operation; the first call has index 0. NULL without one. */
static BACKWORKS_UNUSED const char *backworks_test_payload(size_t index) {
    yyjson_mut_val *call = yyjson_mut_arr_get(backworks_test_records()->called, index);
    return backworks_test_item(call, 1);
}

/* The calls that follow have this many milliseconds left; -1 for no deadline, which is how a test begins. */
static BACKWORKS_UNUSED void backworks_test_deadline(int64_t left_ms) {
    BackworksTestHost *host = backworks_test_records();
    host->deadline_ms = left_ms < 0 ? -1 : host->now_ms + left_ms;
}

/* Lets time pass: the deadline comes nearer, and values of the key-value space end. */
static BACKWORKS_UNUSED void backworks_test_pass_ms(int64_t milliseconds) {
    backworks_test_records()->now_ms += milliseconds;
}

/* Whether cancelled() says that nobody waits for the answer. Also true after the deadline. */
static BACKWORKS_UNUSED void backworks_test_cancel(bool cancelled) {
    backworks_test_records()->cancelled = cancelled;
}

#endif /* BACKWORKS_TEST_HOST_H */
