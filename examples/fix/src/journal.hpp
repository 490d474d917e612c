// The file that holds sequence numbers and messages. It survives the end of the process at any moment: a record is on the
// disk before its message is sent, and a record that was cut off is removed when the file is opened.
//
// SPDX-License-Identifier: MIT
#ifndef JOURNAL_HPP
#define JOURNAL_HPP

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace fix {

/// The file cannot be opened, read or written.
class JournalError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Another process uses the file, such as the former version of this plugin.
class JournalBusy : public JournalError {
  public:
    using JournalError::JournalError;
};

/// Used by one thread. Functions throw JournalError.
class Journal {
  public:
    enum class Event { sent, received, reset };

    /// Given what the file has, in order: messages with their number and bytes, and resets of the numbers.
    using Replay = std::function<void(Event event, std::uint64_t number, std::string_view bytes)>;

    /// Opens or creates the file, locks it and replays it. `owner` names the session: the file of another is refused, and so is
    /// one that is damaged before its last record. Throws JournalBusy when another process has locked it.
    Journal(const std::string &path, const std::string &owner, std::uint64_t max_bytes,
            const Replay &replay);
    ~Journal();

    Journal(const Journal &) = delete;
    Journal &operator=(const Journal &) = delete;

    /// MsgSeqNum of the next message to send.
    std::uint64_t next_sender() const {
        return next_sender_;
    }

    /// MsgSeqNum of the next message to receive.
    std::uint64_t next_target() const {
        return next_target_;
    }

    /// Whether another message of the application fits.
    bool has_space(std::size_t bytes) const {
        return size_ + bytes + RESERVE <= max_bytes_;
    }

    /// A message is about to be sent. `bytes` is empty for messages of the session, which are not sent again.
    void sent(std::string_view bytes);

    /// The message next_target() has been handled. `bytes` is empty for messages of the session.
    void received(std::string_view bytes);

    /// The peer skips to this number.
    void set_next_target(std::uint64_t number);

    /// Both numbers start at 1 again.
    void reset();

    /// A sent message of the application since the last reset.
    std::optional<std::string> message(std::uint64_t number) const;

    /// Bytes that were cut off when the file was opened.
    std::uint64_t removed() const {
        return removed_;
    }

  private:
    struct Place {
        std::uint64_t offset;
        std::size_t size;
    };

    /// Space for messages of the session after the file is full for messages of the application.
    static constexpr std::uint64_t RESERVE = 1 << 20;

    struct Record {
        char kind;
        std::uint64_t number;
        std::string bytes;
        /// Of the whole record in the file.
        std::size_t size;
    };

    void recover(const Replay &replay);
    void remove_unfinished(std::uint64_t end);
    std::optional<Record> read_record(std::uint64_t offset, std::uint64_t end) const;
    std::string read_at(std::uint64_t offset, std::size_t size) const;
    bool write_at(std::uint64_t offset, std::string_view bytes) const;
    void apply(char kind, std::uint64_t number, std::uint64_t offset, std::string_view bytes,
               const Replay &replay);
    void append(char kind, std::uint64_t number, std::string_view bytes);

    int file_ = -1;
    std::string owner_;
    std::uint64_t size_ = 0;
    std::uint64_t max_bytes_;
    std::uint64_t removed_ = 0;
    std::uint64_t next_sender_ = 1;
    std::uint64_t next_target_ = 1;
    bool owned_ = false;
    std::map<std::uint64_t, Place> messages_;
};

} // namespace fix

#endif
