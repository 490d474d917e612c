/* What export.go and host.go share with glue.c. */
#ifndef BACKWORKS_GO_GLUE_H
#define BACKWORKS_GO_GLUE_H

#include "backworks_plugin.h"

/* cgo writes it into the signatures of exported functions, which have to be those of the ABI. */
typedef const char ConstChar;

/* What the registered plugin implements: the members of the tables that are not NULL. */
enum {
    IMPLEMENTS_INITIALIZE = 1 << 0,
    IMPLEMENTS_SHUTDOWN = 1 << 1,
    IMPLEMENTS_HEALTH_CHECK = 1 << 2,
    IMPLEMENTS_BEFORE_REQUEST = 1 << 3,
    IMPLEMENTS_AFTER_RESPONSE = 1 << 4,
    IMPLEMENTS_PROCESS_ENDPOINT = 1 << 5,
    IMPLEMENTS_CALL = 1 << 6,
    IMPLEMENTS_RECONFIGURE = 1 << 7,
    IS_THREAD_SAFE = 1 << 8
};

/*
 * The functions of the host table. Each returns 0 when the host does not offer the service. Texts that
 * they hand out were allocated with malloc(), and NULL stays NULL: the copy is made before another
 * goroutine can use the host on this thread, which would end the life of the host's own string.
 */
int32_t backworks_host_log(int32_t level, const char *message);
int32_t backworks_host_metric(const char *name, double delta);
int32_t backworks_host_kv_get(const char *key, char **value);
int32_t backworks_host_kv_set(const char *key, const char *value, uint32_t ttl_seconds,
                              int32_t *status);
int32_t backworks_host_http_fetch(const char *request_json, char **answer);
int32_t backworks_host_call(const char *plugin, const char *operation, const char *payload_json,
                            char **answer);
int32_t backworks_host_fail(const char *message);

/* -1 when there is no deadline, or when the host has no such function. */
int64_t backworks_host_deadline_left_ms(void);

/* 1 when the answer of the running call is no longer wanted. */
int32_t backworks_host_cancelled(void);

#endif
