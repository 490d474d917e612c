// SPDX-License-Identifier: MIT
#include "fix_decoder.hpp"

namespace fix {

namespace {

constexpr std::string_view START = "8=FIX";
constexpr std::size_t TRAILER_SIZE = 7; // "10=nnn" and SOH
constexpr std::size_t MAX_BEGIN_STRING = 16;
constexpr std::size_t MAX_LENGTH_DIGITS = 6;

bool is_trailer(std::string_view bytes) {
    return bytes.size() == TRAILER_SIZE && bytes.substr(0, 3) == "10=" &&
           read_digits(bytes.substr(3, 3)) && bytes[6] == SOH;
}

} // namespace

std::optional<Decoded> Decoder::next() {
    for (;;) {
        const std::size_t start = buffer_.find(START);
        if (start == buffer_.npos) {
            // The last bytes may be the beginning of START.
            const std::size_t keep = START.size() - 1;
            skip(buffer_.size() > keep ? buffer_.size() - keep : 0);
            return std::nullopt;
        }
        skip(start);
        Frame found;
        switch (frame(found)) {
        case Outcome::incomplete:
            return std::nullopt;
        case Outcome::garbled:
            skip(1);
            continue;
        case Outcome::complete:
            break;
        }
        Decoded decoded;
        decoded.bytes = buffer_.substr(0, found.body_end + TRAILER_SIZE);
        decoded.begin_string = buffer_.substr(2, buffer_.find(SOH) - 2);
        const std::string_view body =
            std::string_view(decoded.bytes)
                .substr(found.body_start, found.body_end - found.body_start);
        decoded.message = read_fields(body, decoded.defect);
        buffer_.erase(0, decoded.bytes.size());
        skipping_ = false;
        return decoded;
    }
}

/// Finds the end of the message at the start of the buffer.
Decoder::Outcome Decoder::frame(Frame &frame) const {
    const Outcome known = length(frame);
    if (known != Outcome::complete) {
        return known;
    }
    const std::string_view bytes = buffer_;
    const std::string_view body = bytes.substr(frame.body_start);
    constexpr std::string_view type = "35=";
    if (body.substr(0, type.size()) != type.substr(0, body.size())) {
        return Outcome::garbled;
    }
    if (bytes.size() < frame.body_end + TRAILER_SIZE) {
        // When a trailer and the next message come earlier, BodyLength is too large: do not wait for what never comes.
        const std::size_t restart = bytes.find(START, frame.body_start);
        const bool ended = restart != bytes.npos && restart > frame.body_start + TRAILER_SIZE &&
                           bytes[restart - TRAILER_SIZE - 1] == SOH &&
                           is_trailer(bytes.substr(restart - TRAILER_SIZE, TRAILER_SIZE));
        return ended ? Outcome::garbled : Outcome::incomplete;
    }
    const std::string_view trailer = bytes.substr(frame.body_end, TRAILER_SIZE);
    const bool right =
        bytes[frame.body_end - 1] == SOH && is_trailer(trailer) &&
        checksum(bytes.substr(0, frame.body_end)) == read_digits(trailer.substr(3, 3));
    return right ? Outcome::complete : Outcome::garbled;
}

/// Reads BeginString and BodyLength, which say where the message ends.
Decoder::Outcome Decoder::length(Frame &frame) const {
    const std::string_view bytes = buffer_;
    const std::size_t begin_end = bytes.find(SOH);
    if (begin_end == bytes.npos) {
        return bytes.size() > MAX_BEGIN_STRING ? Outcome::garbled : Outcome::incomplete;
    }
    if (begin_end > MAX_BEGIN_STRING) {
        return Outcome::garbled;
    }
    const std::string_view rest = bytes.substr(begin_end + 1);
    constexpr std::string_view name = "9=";
    if (rest.substr(0, name.size()) != name.substr(0, rest.size())) {
        return Outcome::garbled;
    }
    if (rest.size() <= name.size()) {
        return Outcome::incomplete;
    }
    const std::size_t end = rest.find(SOH);
    if (end == rest.npos) {
        return rest.size() > name.size() + MAX_LENGTH_DIGITS ? Outcome::garbled
                                                             : Outcome::incomplete;
    }
    const auto length = read_digits(rest.substr(name.size(), end - name.size()));
    if (!length || *length == 0 || *length > MAX_BODY) {
        return Outcome::garbled;
    }
    frame.body_start = begin_end + 1 + end + 1;
    frame.body_end = frame.body_start + static_cast<std::size_t>(*length);
    return Outcome::complete;
}

void Decoder::skip(std::size_t size) {
    if (size == 0) {
        return;
    }
    buffer_.erase(0, size);
    if (!skipping_) {
        garbled_++;
    }
    skipping_ = true;
}

} // namespace fix
