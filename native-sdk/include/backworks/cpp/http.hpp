// HTTP requests that the server makes for the plugin, to the origins that permissions.network.fetch grants.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_HTTP_HPP
#define BACKWORKS_CPP_HTTP_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "answer.hpp"
#include "host.hpp"
#include "request.hpp"

namespace backworks {

/// A request for host::fetch().
///
///     HttpRequest("https://api.example/orders").method("POST").json(order).timeout(500ms)
class HttpRequest {
  public:
    /// A GET. `url` is absolute.
    explicit HttpRequest(std::string_view url)
        : document_(Json::object({{"method", "GET"}, {"url", url}})) {
    }

    HttpRequest &method(std::string_view method) & {
        document_["method"] = method;
        return *this;
    }

    /// Adds a header; a name may occur several times.
    HttpRequest &header(std::string_view name, std::string_view value) & {
        document_["headers"][name].push_back(value);
        return *this;
    }

    /// The body as JSON. The server adds a content-type when the request has none.
    HttpRequest &json(Json body) & {
        return body_of("json", std::move(body));
    }

    /// The body as text, in UTF-8.
    HttpRequest &text(std::string body) & {
        return body_of("text", std::move(body));
    }

    /// The body as bytes.
    HttpRequest &bytes(const void *data, std::size_t size) & {
        return body_of("base64", detail::base64(data, size));
    }

    /// Longest time of the request. It ends before the deadline of the call in any case.
    HttpRequest &timeout(std::chrono::milliseconds time) & {
        document_["timeout_ms"] = time.count();
        return *this;
    }

    // The same for a request that is passed on in the same expression.
    HttpRequest &&method(std::string_view method) && {
        return std::move(this->method(method));
    }

    HttpRequest &&header(std::string_view name, std::string_view value) && {
        return std::move(this->header(name, value));
    }

    HttpRequest &&json(Json body) && {
        return std::move(this->json(std::move(body)));
    }

    HttpRequest &&text(std::string body) && {
        return std::move(this->text(std::move(body)));
    }

    HttpRequest &&bytes(const void *data, std::size_t size) && {
        return std::move(this->bytes(data, size));
    }

    HttpRequest &&timeout(std::chrono::milliseconds time) && {
        return std::move(this->timeout(time));
    }

    /// The request as the server reads it.
    const Json &document() const noexcept {
        return document_;
    }

  private:
    HttpRequest &body_of(const char *encoding, Json body) {
        document_["body_encoding"] = encoding;
        document_["body"] = std::move(body);
        return *this;
    }

    Json document_;
};

/// What a server answered, with any status.
class HttpResponse {
  public:
    HttpResponse(int status, Json headers, Bytes body)
        : status_(status), headers_(std::move(headers)), body_(std::move(body)) {
    }

    int status() const noexcept {
        return status_;
    }

    /// The first value of a header; `name` is in lower case.
    std::optional<std::string> header(std::string_view name) const {
        const std::vector<std::string> values = headers(name);
        return values.empty() ? std::nullopt : std::optional<std::string>(values.front());
    }

    /// Every value of a header. Only set-cookie has several.
    std::vector<std::string> headers(std::string_view name) const {
        const Json &found = headers_[name];
        if (found.is_string()) {
            return {std::string(found.text())};
        }
        std::vector<std::string> values;
        for (const Json &value : found.items()) {
            values.emplace_back(value.text());
        }
        return values;
    }

    /// The bytes of the body, unpacked when they were compressed; at most 4 MiB.
    const Bytes &bytes() const noexcept {
        return body_;
    }

    /// The body as text, whether it is UTF-8 or not.
    std::string text() const {
        return std::string(body_.begin(), body_.end());
    }

    /// The body as JSON. Throws PluginError when it is not JSON, or nested deeper than 512 levels.
    Json json() const {
        return detail::parse_json(text(), "the body of the response");
    }

  private:
    int status_;
    Json headers_;
    Bytes body_;
};

/// Why there is no response: the request is wrong, its origin is not granted, the target did not answer in time, or
/// the body was too long.
class HttpError : public PluginError {
  public:
    explicit HttpError(const std::string &message) : PluginError(message, nullptr) {
    }
};

namespace host {

/// Has the server make a request, and waits for the answer. Throws HttpError when there is no response, PluginError
/// when the server makes no requests for this plugin: it runs in the server's own process.
inline HttpResponse fetch(const HttpRequest &request) {
    if (!BACKWORKS_HOST_HAS(detail::host_table, http_fetch)) {
        detail::not_offered("http_fetch");
    }
    const auto text =
        detail::owned(detail::host_table->http_fetch(request.document().dump().c_str()));
    const Json answer = detail::parse_json(text.value_or(""), "the answer of http_fetch()");
    if (const Json *error = answer.find("error")) {
        throw HttpError(error->is_string() ? std::string(error->text()) : "the request failed");
    }
    const std::string_view body = answer["body"].text();
    Bytes bytes(body.begin(), body.end());
    if (answer["body_encoding"].text() == "base64") {
        std::size_t size = 0;
        if (!backworks_base64_decode(body.data(), body.size(), bytes.data(), &size)) {
            throw PluginError("the body in the answer of http_fetch() is not base64", nullptr);
        }
        bytes.resize(size);
    }
    return HttpResponse(answer.get<int>("status"), answer["headers"], std::move(bytes));
}

} // namespace host
} // namespace backworks

#endif
