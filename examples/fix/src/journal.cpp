// A record is: size of the payload and its CRC-32 (both 4 bytes, little-endian), and the payload: kind (1 byte), number
// (8 bytes, little-endian), message. Kinds: O owner, S sent, R received, T next number of the target, Z reset.
//
// SPDX-License-Identifier: MIT
#include "journal.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fix {

namespace {

constexpr std::size_t HEAD = 8;
constexpr std::size_t PAYLOAD_HEAD = 9;
constexpr std::size_t MAX_PAYLOAD = 1 << 20;

std::uint32_t crc32(std::string_view bytes) {
    std::uint32_t crc = 0xffffffffu;
    for (const char byte : bytes) {
        crc ^= static_cast<unsigned char>(byte);
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

template <std::size_t SIZE> std::string little_endian(std::uint64_t value) {
    std::string bytes;
    for (std::size_t i = 0; i < SIZE; i++) {
        bytes += static_cast<char>(value >> (8 * i) & 0xff);
    }
    return bytes;
}

std::uint64_t read_little_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;) {
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    }
    return value;
}

[[noreturn]] void fail(const std::string &what) {
    throw JournalError(what + ": " + std::strerror(errno));
}

/// Makes the name of a new file durable.
void sync_directory_of(const std::string &path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0) {
        fail("open " + directory);
    }
    const int status = fsync(descriptor);
    close(descriptor);
    if (status != 0) {
        fail("fsync " + directory);
    }
}

} // namespace

Journal::Journal(const std::string &path, const std::string &owner, std::uint64_t max_bytes,
                 const Replay &replay)
    : owner_(owner), max_bytes_(max_bytes) {
    file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file_ < 0) {
        fail("open " + path);
    }
    try {
        if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
            throw JournalBusy("another process uses " + path);
        }
        sync_directory_of(path);
        recover(replay);
        if (!owned_) {
            append('O', 0, owner);
        }
    } catch (...) {
        close(file_);
        throw;
    }
}

Journal::~Journal() {
    close(file_);
}

void Journal::recover(const Replay &replay) {
    struct stat facts = {};
    if (fstat(file_, &facts) != 0) {
        fail("fstat");
    }
    const auto end = static_cast<std::uint64_t>(facts.st_size);
    while (const auto record = read_record(size_, end)) {
        apply(record->kind, record->number, size_ + HEAD + PAYLOAD_HEAD, record->bytes, replay);
        size_ += record->size;
    }
    if (size_ < end) {
        remove_unfinished(end);
    }
}

/// Only the last write can have been cut off. What a whole record follows was damaged by something else: numbers and orders
/// would be lost with it.
void Journal::remove_unfinished(std::uint64_t end) {
    for (std::uint64_t offset = size_ + 1; offset < end; offset++) {
        if (read_record(offset, end)) {
            throw JournalError("the journal is damaged at byte " + std::to_string(size_));
        }
    }
    removed_ = end - size_;
    if (ftruncate(file_, static_cast<off_t>(size_)) != 0 || fsync(file_) != 0) {
        fail("remove an unfinished record");
    }
}

/// The record at this place, if it is whole.
std::optional<Journal::Record> Journal::read_record(std::uint64_t offset, std::uint64_t end) const {
    if (end - offset < HEAD + PAYLOAD_HEAD) {
        return std::nullopt;
    }
    const std::string head = read_at(offset, HEAD);
    const std::uint64_t size = read_little_endian(std::string_view(head).substr(0, 4));
    if (size < PAYLOAD_HEAD || size > MAX_PAYLOAD || size > end - offset - HEAD) {
        return std::nullopt;
    }
    const std::string payload = read_at(offset + HEAD, static_cast<std::size_t>(size));
    if (crc32(payload) != read_little_endian(std::string_view(head).substr(4))) {
        return std::nullopt;
    }
    return Record{payload[0], read_little_endian(std::string_view(payload).substr(1, 8)),
                  payload.substr(PAYLOAD_HEAD), HEAD + payload.size()};
}

void Journal::apply(char kind, std::uint64_t number, std::uint64_t offset, std::string_view bytes,
                    const Replay &replay) {
    if (kind == 'O') {
        if (bytes != owner_) {
            throw JournalError("the journal belongs to the session " + std::string(bytes) +
                               ", not to " + owner_);
        }
        owned_ = true;
    } else if (kind == 'S') {
        next_sender_ = number + 1;
        if (!bytes.empty()) {
            messages_[number] = Place{offset, bytes.size()};
        }
    } else if (kind == 'R') {
        next_target_ = number + 1;
    } else if (kind == 'T') {
        next_target_ = number;
    } else if (kind == 'Z') {
        next_sender_ = 1;
        next_target_ = 1;
        messages_.clear();
    }
    if (replay && (kind == 'Z' || (!bytes.empty() && kind != 'O'))) {
        replay(kind == 'Z'   ? Event::reset
               : kind == 'S' ? Event::sent
                             : Event::received,
               number, bytes);
    }
}

std::string Journal::read_at(std::uint64_t offset, std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
        const ssize_t count =
            pread(file_, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            fail("read the journal");
        }
        done += static_cast<std::size_t>(count);
    }
    return bytes;
}

bool Journal::write_at(std::uint64_t offset, std::string_view bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t count = pwrite(file_, bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(offset + done));
        if (count < 0 && errno != EINTR) {
            return false;
        }
        done += count < 0 ? 0 : static_cast<std::size_t>(count);
    }
    return true;
}

void Journal::append(char kind, std::uint64_t number, std::string_view bytes) {
    const std::string payload = kind + little_endian<8>(number) + std::string(bytes);
    const std::string record =
        little_endian<4>(payload.size()) + little_endian<4>(crc32(payload)) + payload;
    if (size_ + record.size() > max_bytes_) {
        throw JournalError("the journal has reached max_bytes");
    }
    if (!write_at(size_, record) || fdatasync(file_) != 0) {
        const int code = errno;
        // The caller is told that nothing was stored: nothing may be found later.
        [[maybe_unused]] const int status = ftruncate(file_, static_cast<off_t>(size_));
        errno = code;
        fail("write the journal");
    }
    apply(kind, number, size_ + HEAD + PAYLOAD_HEAD, bytes, nullptr);
    size_ += record.size();
}

void Journal::sent(std::string_view bytes) {
    append('S', next_sender_, bytes);
}

void Journal::received(std::string_view bytes) {
    append('R', next_target_, bytes);
}

void Journal::set_next_target(std::uint64_t number) {
    append('T', number, "");
}

void Journal::reset() {
    append('Z', 0, "");
}

std::optional<std::string> Journal::message(std::uint64_t number) const {
    const auto found = messages_.find(number);
    if (found == messages_.end()) {
        return std::nullopt;
    }
    return read_at(found->second.offset, found->second.size);
}

} // namespace fix
