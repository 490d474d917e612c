// The documents that hooks are given, as types.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_REQUEST_HPP
#define BACKWORKS_CPP_REQUEST_HPP

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../shared/base64.h"
#include "json_read.hpp"
#include "json_text.hpp"

namespace backworks {

/// Bytes of any kind.
using Bytes = std::vector<std::uint8_t>;

/// How a document writes a body.
enum class BodyEncoding {
    json,  ///< as JSON, because the body is JSON
    text,  ///< as a string, because the body is UTF-8 text; null stands for no body
    base64 ///< as a string in base64, for every other body
};

/// The body of a request or a response. It is valid as long as the request or response.
class Body {
  public:
    Body(BodyEncoding encoding, std::string_view raw) : encoding_(encoding), raw_(raw) {
    }

    BodyEncoding encoding() const noexcept {
        return encoding_;
    }

    /// The text of the member `body`, exactly as it was sent when the body is JSON.
    std::string_view raw() const noexcept {
        return raw_;
    }

    /// True when there is no body.
    bool empty() const noexcept {
        return encoding_ == BodyEncoding::text && raw_ == "null";
    }

    /// The body as JSON. Throws PluginError when it is not JSON, or nested deeper than 512 levels.
    Json json() const {
        if (encoding_ != BodyEncoding::json) {
            throw PluginError("the body is not JSON", nullptr);
        }
        return detail::parse_json(raw_, "the body");
    }

    /// The body as text: JSON as it was sent. Throws PluginError when it is not UTF-8.
    std::string text() const {
        if (encoding_ == BodyEncoding::json) {
            return std::string(raw_);
        }
        if (encoding_ == BodyEncoding::base64) {
            throw PluginError("the body is not UTF-8", nullptr);
        }
        return string();
    }

    /// The bytes of the body, as they were sent.
    Bytes bytes() const {
        if (encoding_ != BodyEncoding::base64) {
            const std::string text = encoding_ == BodyEncoding::json ? std::string(raw_) : string();
            return Bytes(text.begin(), text.end());
        }
        const std::string text = string();
        Bytes bytes(text.size() / 4 * 3);
        std::size_t size = 0;
        if (!backworks_base64_decode(text.data(), text.size(), bytes.data(), &size)) {
            throw PluginError("the body in the document is not base64", nullptr);
        }
        bytes.resize(size);
        return bytes;
    }

  private:
    std::string string() const {
        return std::string(detail::parse_json(raw_, "the body").text());
    }

    BodyEncoding encoding_;
    std::string_view raw_;
};

/// What requests and responses have in common. Members are read when they are asked for. A document is valid
/// until its hook returns, and is used by one thread at a time.
class Document {
  public:
    explicit Document(const char *json) : document_() {
        document_.text = backworks_slice(json, json == nullptr ? 0 : std::strlen(json));
        document_.memory = arena_.memory();
        document_.flags = YYJSON_READ_NUMBER_AS_RAW;
    }

    Document(const Document &) = delete;
    Document &operator=(const Document &) = delete;

    /// The first value of a header; `name` is in lower case.
    std::optional<std::string> header(const char *name) const {
        return first_text(value("headers"), name);
    }

    /// Every value of a header. Only set-cookie has several; the server joins others.
    std::vector<std::string> headers(const char *name) const {
        return all_texts(value("headers"), name);
    }

    /// What plugins have left during the request.
    Json context() const {
        return member("context");
    }

    /// What a plugin has left under this name; null without it.
    Json context(const char *name) const {
        return detail::json_of(backworks_get(value("context"), name));
    }

    /// The body.
    Body body() const {
        const std::optional<std::string> encoding = text("body_encoding");
        const BackworksSlice raw = backworks_document_text(&document_, "body");
        return Body(encoding == "json"     ? BodyEncoding::json
                    : encoding == "base64" ? BodyEncoding::base64
                                           : BodyEncoding::text,
                    raw.at == nullptr ? std::string_view("null")
                                      : std::string_view(raw.at, raw.size));
    }

    /// The body passes by as a stream, because it is long or no plugin needs it. It then looks empty.
    bool body_streamed() const {
        return yyjson_is_true(value("body_streamed"));
    }

    /// Any member of the document; null without it.
    Json member(const char *name) const {
        return detail::json_of(value(name));
    }

  protected:
    ~Document() = default;

    yyjson_val *value(const char *name) const {
        return backworks_document_value(&document_, name);
    }

    /// A text of the document; none when the member is absent or null.
    std::optional<std::string> text(const char *name) const {
        return text_of(value(name));
    }

    static std::optional<std::string> text_of(yyjson_val *value) {
        if (!yyjson_is_str(value)) {
            return std::nullopt;
        }
        return std::string(yyjson_get_str(value), yyjson_get_len(value));
    }

    static std::optional<std::string> first_text(yyjson_val *object, const char *name) {
        yyjson_val *found = backworks_get(object, name);
        return text_of(yyjson_is_arr(found) ? yyjson_arr_get_first(found) : found);
    }

    static std::vector<std::string> all_texts(yyjson_val *object, const char *name) {
        yyjson_val *found = backworks_get(object, name);
        std::vector<std::string> texts;
        if (const auto one = text_of(found)) {
            texts.push_back(*one);
        }
        for (std::size_t i = 0; i < yyjson_arr_size(found); i++) {
            texts.push_back(text_of(yyjson_arr_get(found, i)).value_or(""));
        }
        return texts;
    }

  private:
    detail::Arena arena_;
    mutable BackworksDocument document_; // remembers what was read
};

/// A request, as before_request and process_endpoint see it.
class Request final : public Document {
  public:
    using Document::Document;

    /// Number of the request, as in the server's log.
    std::string id() const {
        return text("id").value_or("");
    }

    /// HTTP method, in upper case.
    std::string method() const {
        return text("method").value_or("");
    }

    /// Path as sent: percent-encoded, without the query.
    std::string path() const {
        return text("path").value_or("");
    }

    /// Path of the endpoint that matched, such as /weather/{city}.
    std::optional<std::string> route() const {
        return text("route");
    }

    /// What a placeholder of the route stands for, decoded.
    std::optional<std::string> param(const char *name) const {
        return first_text(value("params"), name);
    }

    /// The first value of a name in the query, decoded.
    std::optional<std::string> query(const char *name) const {
        return first_text(value("query"), name);
    }

    /// Every value of a name in the query.
    std::vector<std::string> queries(const char *name) const {
        return all_texts(value("query"), name);
    }

    /// IP address of the client, when the request came over a socket.
    std::optional<std::string> remote_address() const {
        return first_text(value("remote"), "address");
    }
};

/// A response, as after_response sees it.
class Response final : public Document {
  public:
    using Document::Document;

    /// HTTP status.
    int status() const {
        return member("status").as<int>();
    }

    /// The request that is answered: an object with id, method, path and route.
    Json request() const {
        return member("request");
    }
};

} // namespace backworks

#endif
