/*
 * Functions of the host table that the server performs. Each sends a request and waits for its answer; see
 * BackworksHost in backworks_plugin.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BACKWORKS_RUNNER_HOST_REQUESTS_H
#define BACKWORKS_RUNNER_HOST_REQUESTS_H

#include <stdint.h>

const char *host_kv_get(const char *key);
int32_t host_kv_set(const char *key, const char *value, uint32_t ttl_seconds);
const char *host_http_fetch(const char *request_json);
const char *host_call(const char *plugin, const char *operation, const char *payload_json);

#endif
