// The class that plugins derive from, and what a plugin says about itself.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_PLUGIN_HPP
#define BACKWORKS_CPP_PLUGIN_HPP

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "answer.hpp"
#include "config.hpp"
#include "request.hpp"

namespace backworks {

/// What a plugin says about itself.
///
///     static Manifest manifest() {
///         return Manifest("sessions", "1.0.0", "Keeps sessions.").config<Config>().critical();
///     }
class Manifest {
  public:
    /// `name`: lower-case words joined by '-', at most 64 bytes. `version`: a semantic version.
    /// `description`: one sentence for people.
    Manifest(std::string name, std::string version, std::string description)
        : name_(std::move(name)), version_(std::move(version)),
          description_(std::move(description)) {
    }

    /// The type of the `config:` block, whose schema the server then checks.
    template <typename T> Manifest &config() {
        return set("config_schema", Fields::schema<T>());
    }

    /// Requests fail while the plugin fails. A plugin that refuses requests must be critical: requests pass by an
    /// optional plugin that fails.
    Manifest &critical() {
        return set("critical", true);
    }

    /// Hooks may run on several threads at once.
    Manifest &thread_safe() {
        thread_safe_ = true;
        return *this;
    }

    /// Longest time a call may take, unless the operator's configuration says otherwise.
    Manifest &max_execution_time(std::chrono::milliseconds time) {
        return set("max_execution_time_ms", time.count());
    }

    /// Adds an operation that call() performs, such as "storage.kv.get".
    Manifest &capability(std::string_view operation) {
        return add("capabilities", operation);
    }

    /// Adds a plugin without which this one does not start. `version` is a semver range.
    Manifest &depends_on(std::string_view plugin, std::string_view version = "*") {
        return add("dependencies", Json::object({{"name", plugin}, {"version", version}}));
    }

    /// Adds a plugin that this one uses when it is there.
    Manifest &may_use(std::string_view plugin, std::string_view version = "*") {
        return add("dependencies",
                   Json::object({{"name", plugin}, {"version", version}, {"optional", true}}));
    }

    /// Adds an operation that some other plugin must provide.
    Manifest &needs_capability(std::string_view operation) {
        return add("dependencies", Json::object({{"capability", operation}}));
    }

    /// The permissions the plugin asks its operator for, as in backworks.yaml.
    Manifest &permissions(Json permissions) {
        return set("permissions", std::move(permissions));
    }

    /// Plugins of lower priority are asked first; 100 when nothing is said.
    Manifest &priority(int priority) {
        return set("priority", priority);
    }

    /// Who wrote the plugin.
    Manifest &author(std::string_view author) {
        return set("author", author);
    }

    /// An SPDX licence expression.
    Manifest &license(std::string_view license) {
        return set("license", license);
    }

    /// The versions of Backworks the plugin works with, as a semver range.
    Manifest &backworks(std::string_view range) {
        return set("backworks", range);
    }

    /// Sets any other member: see manifest() in backworks_plugin.h.
    Manifest &set(std::string_view member, Json value) {
        members_[member] = std::move(value);
        return *this;
    }

    const std::string &name() const noexcept {
        return name_;
    }

    const std::string &version() const noexcept {
        return version_;
    }

    const std::string &description() const noexcept {
        return description_;
    }

    bool is_thread_safe() const noexcept {
        return thread_safe_;
    }

    /// The rest, as the server reads it.
    const Json &document() const noexcept {
        return members_;
    }

  private:
    Manifest &add(std::string_view member, Json item) {
        members_[member].push_back(std::move(item));
        return *this;
    }

    std::string name_;
    std::string version_;
    std::string description_;
    bool thread_safe_ = false;
    Json members_ = Json::object();
};

/// How a plugin is.
class Health {
  public:
    /// It works.
    static Health healthy() {
        return Health(0, "");
    }

    /// It works less well than it should, for this reason.
    static Health degraded(std::string why) {
        return Health(1, std::move(why));
    }

    /// It does not work, for this reason.
    static Health unhealthy(std::string why) {
        return Health(-1, std::move(why));
    }

    int status() const noexcept {
        return status_;
    }

    const std::string &reason() const noexcept {
        return reason_;
    }

  private:
    Health(int status, std::string reason) : status_(status), reason_(std::move(reason)) {
    }

    int status_;
    std::string reason_;
};

/// A plugin. Derive from it, add a static function manifest(), and override what the plugin does; a hook that
/// is not overridden costs nothing. The object is made before initialize() and destroyed after shutdown(). A
/// function that throws makes its call fail: an optional plugin is skipped, a critical one answers the request
/// with an error.
class Plugin {
  public:
    virtual ~Plugin() = default;

    Plugin(const Plugin &) = delete;
    Plugin &operator=(const Plugin &) = delete;

    /// Prepares the plugin. `config` is its `config:` block, an object; see read_config().
    virtual void initialize(const Json &) {
    }

    /// Takes a new configuration while the plugin runs. When it throws, the plugin must still have the former
    /// one. A plugin that does not override it is started anew.
    virtual void reconfigure(const Json &) {
    }

    /// Ends the plugin's work. A process may end without this.
    virtual void shutdown() {
    }

    /// How the plugin is; asked from time to time, between calls.
    virtual Health health_check() {
        return Health::healthy();
    }

    /// Sees a request before its endpoint does. Return {} to leave it unchanged.
    virtual RequestAction before_request(const Request &) {
        return {};
    }

    /// Answers a request. Return {} when it is not for this plugin.
    virtual std::optional<Reply> process_endpoint(const Request &) {
        return {};
    }

    /// Sees a response before its client does. Return {} to leave it unchanged.
    virtual std::optional<ResponsePatch> after_response(const Response &) {
        return {};
    }

    /// Performs an operation for another plugin, one that the manifest lists as a capability.
    virtual std::optional<Json> call(const std::string &, const Json &) {
        return {};
    }

  protected:
    Plugin() = default;
};

} // namespace backworks

#endif
