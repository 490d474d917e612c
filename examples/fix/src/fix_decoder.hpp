// Cuts a stream of bytes into FIX messages. No input or output happens here.
//
// SPDX-License-Identifier: MIT
#ifndef FIX_DECODER_HPP
#define FIX_DECODER_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fix_message.hpp"

namespace fix {

/// A message that is not garbled.
struct Decoded {
    std::string begin_string;
    std::string bytes;
    Message message;
    std::optional<Defect> defect;
};

/// Garbled messages are skipped, as the standard says: those that do not begin with BeginString, BodyLength and MsgType,
/// whose BodyLength does not lead to CheckSum, or whose CheckSum is wrong.
class Decoder {
  public:
    /// The largest BodyLength. A message that claims more is garbled.
    static constexpr std::size_t MAX_BODY = 65536;

    void append(std::string_view bytes) {
        buffer_.append(bytes);
    }

    /// The next message; nothing when more bytes are needed.
    std::optional<Decoded> next();

    /// How many stretches of bytes were skipped.
    std::uint64_t garbled() const {
        return garbled_;
    }

  private:
    enum class Outcome { complete, incomplete, garbled };

    struct Frame {
        std::size_t body_start = 0;
        std::size_t body_end = 0;
    };

    Outcome frame(Frame &frame) const;
    Outcome length(Frame &frame) const;
    void skip(std::size_t size);

    std::string buffer_;
    std::uint64_t garbled_ = 0;
    bool skipping_ = false;
};

} // namespace fix

#endif
