// What a hook answers with.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_ANSWER_HPP
#define BACKWORKS_CPP_ANSWER_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../shared/base64.h"
#include "json_text.hpp"

namespace backworks {
namespace detail {

/// The documents of the server have header names in lower case.
inline std::string lower(std::string_view name) {
    std::string lower(name);
    for (char &letter : lower) {
        if (letter >= 'A' && letter <= 'Z') {
            letter = static_cast<char>(letter - 'A' + 'a');
        }
    }
    return lower;
}

inline Json base64(const void *data, std::size_t size) {
    std::string text(backworks_base64_size(size), '=');
    backworks_base64_encode(data, size, text.data());
    return Json(std::move(text));
}

} // namespace detail

/// A whole response of the plugin's own.
///
///     return Reply::json(Json::object({{"error", "unknown key"}})).status(401);
class Reply {
  public:
    /// A response without a body, with status 204.
    static Reply empty() {
        return Reply(204, "text", Json());
    }

    /// A 200 with a JSON body.
    static Reply json(Json body) {
        return Reply(200, "json", std::move(body));
    }

    /// A 200 with plain text.
    static Reply text(std::string text) {
        return Reply(200, "text", Json(std::move(text)))
            .header("content-type", "text/plain; charset=utf-8");
    }

    /// A 200 with bytes.
    static Reply bytes(std::string_view content_type, const void *data, std::size_t size) {
        return Reply(200, "base64", detail::base64(data, size))
            .header("content-type", content_type);
    }

    /// A problem document (RFC 9457) for a request that cannot be answered.
    static Reply problem(int status, std::string_view title, std::string_view detail) {
        return Reply(status, "json",
                     Json::object({{"type", "about:blank"},
                                   {"title", title},
                                   {"status", status},
                                   {"detail", detail}}))
            .header("content-type", "application/problem+json");
    }

    /// Sets the HTTP status, from 200 to 599.
    Reply &status(int status) & {
        document_["status"] = status;
        return *this;
    }

    /// Sets a header, in place of an earlier one of that name.
    Reply &header(std::string_view name, std::string_view value) & {
        document_["headers"][detail::lower(name)] = value;
        return *this;
    }

    /// Adds a cookie: the value of a set-cookie header.
    Reply &cookie(std::string_view cookie) & {
        document_["headers"]["set-cookie"].push_back(cookie);
        return *this;
    }

    // The same for a reply that is returned in the same expression.
    Reply &&status(int status) && {
        return std::move(this->status(status));
    }

    Reply &&header(std::string_view name, std::string_view value) && {
        return std::move(this->header(name, value));
    }

    Reply &&cookie(std::string_view cookie) && {
        return std::move(this->cookie(cookie));
    }

    /// The reply as the server reads it.
    const Json &document() const noexcept {
        return document_;
    }

  private:
    /// Member by member, because a list of initial values would be copied.
    Reply(int status, const char *encoding, Json body) {
        Json::Object members;
        members.reserve(4);
        members.emplace_back("status", status);
        members.emplace_back("headers", Json::object());
        members.emplace_back("body_encoding", encoding);
        members.emplace_back("body", std::move(body));
        document_ = Json::object(std::move(members));
    }

    Json document_;
};

/// Changes of a document. Whatever is not named stays as it is, digit for digit.
template <typename Derived> class Patch {
  public:
    /// Sets a header.
    Derived &header(std::string_view name, std::string_view value) {
        return in("headers", detail::lower(name), value);
    }

    /// Removes a header.
    Derived &remove_header(std::string_view name) {
        return in("headers", detail::lower(name), nullptr);
    }

    /// Leaves a value for later hooks of the same request.
    Derived &context(std::string_view name, Json value) {
        return in("context", name, std::move(value));
    }

    /// Merges a value into the body, which must be JSON. Members of objects that it does not name stay.
    Derived &json(Json body) {
        return set("body_encoding", "json").set("body", std::move(body));
    }

    /// Replaces the body by text.
    Derived &text(std::string body) {
        return set("body_encoding", "text").set("body", std::move(body));
    }

    /// Replaces the body by bytes.
    Derived &bytes(const void *data, std::size_t size) {
        return set("body_encoding", "base64").set("body", detail::base64(data, size));
    }

    /// Sets any member of the document. An object is merged into the object that is there.
    Derived &set(std::string_view member, Json value) {
        members_[member] = std::move(value);
        return static_cast<Derived &>(*this);
    }

    /// The changes as the server reads them.
    const Json &document() const noexcept {
        return members_;
    }

  protected:
    Derived &in(std::string_view member, std::string_view name, Json value) {
        members_[member][name] = std::move(value);
        return static_cast<Derived &>(*this);
    }

  private:
    Json members_ = Json::object();
};

/// Changes of a request.
class RequestPatch final : public Patch<RequestPatch> {
  public:
    /// Sets the method.
    RequestPatch &method(std::string_view method) {
        return set("method", method);
    }

    /// Sets the path, percent-encoded.
    RequestPatch &path(std::string_view path) {
        return set("path", path);
    }

    /// Sets a name of the query.
    RequestPatch &query(std::string_view name, std::string_view value) {
        return in("query", name, value);
    }
};

/// Changes of a response.
class ResponsePatch final : public Patch<ResponsePatch> {
  public:
    /// Sets the HTTP status.
    ResponsePatch &status(int status) {
        return set("status", status);
    }
};

/// What before_request makes of a request: nothing, changes, or a reply in place of the endpoint's.
class RequestAction {
  public:
    RequestAction() = default;
    RequestAction(std::nullopt_t) {
    }
    RequestAction(Reply reply) : document_(Json::object({{"response", reply.document()}})) {
    }
    RequestAction(const RequestPatch &patch)
        : document_(Json::object({{"request", patch.document()}})) {
    }

    /// The action as the server reads it.
    const std::optional<Json> &document() const noexcept {
        return document_;
    }

  private:
    std::optional<Json> document_;
};

} // namespace backworks

#endif
