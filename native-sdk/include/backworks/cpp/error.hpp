// What a plugin throws when it cannot do what it was asked.
//
// SPDX-License-Identifier: MIT
#ifndef BACKWORKS_CPP_ERROR_HPP
#define BACKWORKS_CPP_ERROR_HPP

#include <stdexcept>
#include <string>

// Where the expression is that has it as a default argument. C++17 has no std::source_location.
#if defined(__GNUC__) || (defined(_MSC_VER) && _MSC_VER >= 1926)
#define BACKWORKS_FILE __builtin_FILE()
#define BACKWORKS_LINE __builtin_LINE()
#else
#define BACKWORKS_FILE nullptr
#define BACKWORKS_LINE 0
#endif

namespace backworks {

/// Why a plugin failed, in one sentence for the operator. Clients do not see it. The message has the file and
/// the line of the `throw`. Exceptions of any other type make the call fail as well.
class PluginError : public std::runtime_error {
  public:
    explicit PluginError(const std::string &message, const char *file = BACKWORKS_FILE,
                         int line = BACKWORKS_LINE)
        : std::runtime_error(file == nullptr
                                 ? message
                                 : std::string(file) + ":" + std::to_string(line) + ": " + message),
          file_(file), line_(line) {
    }

    /// Where it was thrown; nullptr when the SDK found the mistake.
    const char *file() const noexcept {
        return file_;
    }

    int line() const noexcept {
        return line_;
    }

  private:
    const char *file_;
    int line_;
};

} // namespace backworks

#endif
