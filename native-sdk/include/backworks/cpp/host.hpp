// What the server offers to plugins. Log lines and counters may be written on any thread.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_HOST_HPP
#define BACKWORKS_CPP_HOST_HPP

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <backworks_plugin.h>

#include "json_read.hpp"
#include "json_text.hpp"

namespace backworks {
namespace detail {

/// The host's table; nullptr before the server has passed it, which it does before initialize().
BACKWORKS_CPP_HIDDEN inline const BackworksHost *host_table = nullptr;

[[noreturn]] inline void not_offered(const char *service) {
    throw PluginError(std::string("the server offers no ") + service + "()", nullptr);
}

/// The host's strings are valid until the next host function only.
inline std::optional<std::string> owned(const char *text) {
    return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

inline void kv_write(const std::string &key, const char *value, std::uint32_t ttl_seconds) {
    if (!BACKWORKS_HOST_HAS(host_table, kv_set)) {
        not_offered("kv_set");
    }
    const std::int32_t status = host_table->kv_set(key.c_str(), value, ttl_seconds);
    if (status != 0) {
        throw PluginError("kv_set() returned " + std::to_string(status), nullptr);
    }
}

} // namespace detail

namespace host {

/// Writes a line to the server's log, under the plugin's name.
inline void log(BackworksLogLevel level, const std::string &message) {
    if (BACKWORKS_HOST_HAS(detail::host_table, log)) {
        detail::host_table->log(static_cast<std::int32_t>(level), message.c_str());
    }
}

inline void debug(const std::string &message) {
    log(BACKWORKS_LOG_DEBUG, message);
}

inline void info(const std::string &message) {
    log(BACKWORKS_LOG_INFO, message);
}

inline void warn(const std::string &message) {
    log(BACKWORKS_LOG_WARN, message);
}

inline void error(const std::string &message) {
    log(BACKWORKS_LOG_ERROR, message);
}

/// Adds to the counter backworks_plugin_custom_total{plugin,name}. Names are made of a-z, 0-9 and _.
inline void metric(const std::string &name, double delta) {
    if (BACKWORKS_HOST_HAS(detail::host_table, metric)) {
        detail::host_table->metric(name.c_str(), delta);
    }
}

/// Reads a value of the plugin's own key-value space. Throws PluginError when the server has none.
inline std::optional<std::string> kv_get(const std::string &key) {
    if (!BACKWORKS_HOST_HAS(detail::host_table, kv_get)) {
        detail::not_offered("kv_get");
    }
    return detail::owned(detail::host_table->kv_get(key.c_str()));
}

/// Writes a value to the plugin's own key-value space. Without a `ttl` it is kept as long as the store exists.
/// Throws PluginError when it is not stored.
inline void kv_set(const std::string &key, const std::string &value,
                   std::optional<std::chrono::seconds> ttl = std::nullopt) {
    const std::int64_t seconds = ttl ? std::max<std::int64_t>(ttl->count(), 1) : 0;
    const std::int64_t most = std::numeric_limits<std::uint32_t>::max();
    detail::kv_write(key, value.c_str(), static_cast<std::uint32_t>(std::min(seconds, most)));
}

/// Removes a value from the plugin's own key-value space.
inline void kv_remove(const std::string &key) {
    detail::kv_write(key, nullptr, 0);
}

/// The documents of an HTTP request that the server makes; fetch() has it with types. `request` is
/// {method, url, headers, body, body_encoding, timeout_ms}, the result {status, headers, body, body_encoding} with
/// the body as a string. Throws PluginError when the
/// server cannot, the origin is not permitted, or the target does not answer.
inline Json http_fetch(const Json &request) {
    if (!BACKWORKS_HOST_HAS(detail::host_table, http_fetch)) {
        detail::not_offered("http_fetch");
    }
    const auto text = detail::owned(detail::host_table->http_fetch(request.dump().c_str()));
    Json answer = detail::parse_json(text.value_or(""), "the answer of http_fetch()");
    if (const Json *error = answer.find("error")) {
        throw PluginError(error->is_string() ? std::string(error->text()) : "the request failed",
                          nullptr);
    }
    return answer;
}

/// Calls an operation of another plugin. `plugin` is one that the manifest's dependencies name; an empty text
/// stands for the one that provides the operation. Nothing when the operation returned nothing, failed or is
/// not allowed. Throws PluginError when the server offers no calls.
inline std::optional<Json> call(const std::string &plugin, const std::string &operation,
                                const Json &payload = nullptr) {
    if (!BACKWORKS_HOST_HAS(detail::host_table, call)) {
        detail::not_offered("call");
    }
    const char *name = plugin.empty() ? nullptr : plugin.c_str();
    const auto text =
        detail::owned(detail::host_table->call(name, operation.c_str(), payload.dump().c_str()));
    if (!text) {
        return std::nullopt;
    }
    return detail::parse_json(*text, "the answer of " + operation);
}

/// How long the running call may still take; nothing when it has no deadline.
inline std::optional<std::chrono::milliseconds> deadline_left() {
    const bool has = BACKWORKS_HOST_HAS(detail::host_table, deadline_left_ms);
    const std::int64_t left = has ? detail::host_table->deadline_left_ms() : -1;
    if (left < 0) {
        return std::nullopt;
    }
    return std::chrono::milliseconds(left);
}

/// Whether nobody waits for the running call's answer any more.
inline bool cancelled() {
    return BACKWORKS_HOST_HAS(detail::host_table, cancelled) &&
           detail::host_table->cancelled() != 0;
}

} // namespace host
} // namespace backworks

#endif
