// The functions that the server calls, for a plugin type. Authors use BACKWORKS_EXPORT_PLUGIN().
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_EXPORT_HPP
#define BACKWORKS_CPP_EXPORT_HPP

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include <backworks_plugin.h>

#include "barrier.hpp"
#include "http.hpp"
#include "plugin.hpp"

namespace backworks {
namespace detail {

/// What is kept between calls. It is never destroyed: a thread of the plugin may outlive main().
struct Kept {
    Plugin *plugin;
    const Manifest *manifest;
    const char *manifest_json;
    std::string *last_error;
};

BACKWORKS_CPP_HIDDEN inline Kept kept = {nullptr, nullptr, nullptr, nullptr};

/// Whether `T` overrides a function of Plugin; also true when its access says no more.
#define BACKWORKS_OVERRIDES(function)                                                              \
    template <typename T, typename = void> struct overrides_##function : std::true_type {};        \
    template <typename T>                                                                          \
    struct overrides_##function<                                                                   \
        T, std::enable_if_t<std::is_same_v<decltype(&T::function), decltype(&Plugin::function)>>>  \
        : std::false_type {}

BACKWORKS_OVERRIDES(reconfigure);
BACKWORKS_OVERRIDES(health_check);
BACKWORKS_OVERRIDES(before_request);
BACKWORKS_OVERRIDES(process_endpoint);
BACKWORKS_OVERRIDES(after_response);
BACKWORKS_OVERRIDES(call);

#undef BACKWORKS_OVERRIDES

inline Plugin &plugin() {
    if (kept.plugin == nullptr) {
        throw PluginError("the plugin is not initialized", nullptr);
    }
    return *kept.plugin;
}

/// The text of an answer, which free_string() frees.
inline char *answer_text(const Json &answer) {
    Arena arena;
    return write(value_of(yyjson_mut_doc_new(arena.memory()), answer)).release();
}

/// A host that cannot be told of a failure would take NULL for "unchanged", and let a request pass that the
/// plugin may have been about to refuse.
inline void fail(const std::string &why) noexcept {
    if (BACKWORKS_HOST_HAS(host_table, fail)) {
        host_table->fail(why.c_str());
        return;
    }
    (void)std::fprintf(stderr, "%s\n", why.c_str());
    std::abort();
}

/// `work` returns the text of an answer, or nullptr for none.
template <typename Work> const char *answered(const Work &work) noexcept {
    std::string why;
    char *text = nullptr;
    if (!guarded(why, [&] { text = work(); })) {
        fail(why);
    }
    return text;
}

/// Keeps why the last function of the plugin's life failed.
inline std::int32_t explained(std::int32_t status, const std::string &why) noexcept {
    std::string ignored;
    (void)guarded(ignored, [&] {
        if (kept.last_error == nullptr) {
            kept.last_error = new std::string();
        }
        *kept.last_error = why;
    });
    return status;
}

template <typename Work> std::int32_t succeeded(const Work &work) noexcept {
    std::string why;
    return guarded(why, work) ? 0 : explained(-1, why);
}

template <typename T> struct Exported {
    static_assert(std::is_base_of_v<Plugin, T>,
                  "the plugin does not derive from backworks::Plugin");

    /// A plugin whose manifest() throws has no name, and the server refuses it.
    static const Manifest *manifest() noexcept {
        std::string why;
        if (kept.manifest == nullptr &&
            !guarded(why, [] { kept.manifest = new Manifest(T::manifest()); })) {
            (void)std::fprintf(stderr, "manifest(): %s\n", why.c_str());
        }
        return kept.manifest;
    }

    static PluginInfo info() noexcept {
        const Manifest *known = manifest();
        if (known == nullptr) {
            return PluginInfo{nullptr, nullptr, nullptr};
        }
        return PluginInfo{known->name().c_str(), known->version().c_str(),
                          known->description().c_str()};
    }

    static const char *manifest_json() noexcept {
        std::string why;
        const Manifest *known = manifest();
        if (known != nullptr && kept.manifest_json == nullptr &&
            !guarded(why, [&] { kept.manifest_json = answer_text(known->document()); })) {
            (void)std::fprintf(stderr, "manifest(): %s\n", why.c_str());
        }
        return kept.manifest_json;
    }

    static std::int32_t initialize(const char *config) noexcept {
        return succeeded([&] {
            auto made = std::make_unique<T>();
            made->initialize(Json::parse(config));
            kept.plugin = made.release();
        });
    }

    static std::int32_t reconfigure(const char *config) noexcept {
        return succeeded([&] { plugin().reconfigure(Json::parse(config)); });
    }

    static std::int32_t shutdown() noexcept {
        return succeeded([] {
            const std::unique_ptr<Plugin> owned(kept.plugin);
            kept.plugin = nullptr;
            if (owned != nullptr) {
                owned->shutdown();
            }
        });
    }

    static std::int32_t health_check() noexcept {
        std::int32_t status = 0;
        std::string why;
        if (!guarded(why, [&] {
                const Health health = plugin().health_check();
                status = health.status();
                why = health.reason();
            })) {
            status = -1;
        }
        return status == 0 ? 0 : explained(status, why);
    }

    static const char *before_request(const char *json) noexcept {
        return answered([&]() -> char * {
            const Request request(json);
            const RequestAction action = plugin().before_request(request);
            return action.document() ? answer_text(*action.document()) : nullptr;
        });
    }

    /// The document has the endpoint and the method as well.
    static const char *process_endpoint(const char *, const char *, const char *json) noexcept {
        return answered([&]() -> char * {
            const Request request(json);
            const std::optional<Reply> reply = plugin().process_endpoint(request);
            return reply ? answer_text(reply->document()) : nullptr;
        });
    }

    static const char *after_response(const char *json) noexcept {
        return answered([&]() -> char * {
            const Response response(json);
            const std::optional<ResponsePatch> patch = plugin().after_response(response);
            return patch ? answer_text(Json::object({{"response", patch->document()}})) : nullptr;
        });
    }

    static const char *call(const char *operation, const char *payload) noexcept {
        return answered([&]() -> char * {
            const Json json = payload == nullptr ? Json() : parse_json(payload, "the payload");
            const std::optional<Json> result = plugin().call(operation, json);
            return result ? answer_text(*result) : nullptr;
        });
    }

    static PluginVTable vtable() noexcept {
        PluginVTable table = {};
        table.initialize = initialize;
        table.shutdown = shutdown;
        table.health_check = overrides_health_check<T>::value ? health_check : nullptr;
        table.before_request = overrides_before_request<T>::value ? before_request : nullptr;
        table.after_response = overrides_after_response<T>::value ? after_response : nullptr;
        table.process_endpoint = overrides_process_endpoint<T>::value ? process_endpoint : nullptr;
        return table;
    }

    static void free_string(const char *string) noexcept {
        std::free(const_cast<char *>(string));
    }

    static const char *last_error() noexcept {
        return kept.last_error == nullptr ? nullptr : kept.last_error->c_str();
    }

    static std::int32_t bind_host(const BackworksHost *host) noexcept {
        host_table = host;
        return 0;
    }

    static void fill(BackworksExtensions &table) noexcept {
        const Manifest *known = manifest();
        table.size = sizeof table;
        table.abi_version = BACKWORKS_ABI_VERSION;
        table.flags = known != nullptr && known->is_thread_safe() ? BACKWORKS_THREAD_SAFE : 0;
        table.manifest = manifest_json;
        table.free_string = free_string;
        table.last_error = last_error;
        table.bind_host = bind_host;
        table.call = overrides_call<T>::value ? call : nullptr;
        table.reconfigure = overrides_reconfigure<T>::value ? reconfigure : nullptr;
    }
};

} // namespace detail
} // namespace backworks

#endif
