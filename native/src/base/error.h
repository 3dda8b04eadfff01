#ifndef SFUMATO_BASE_ERROR_H_
#define SFUMATO_BASE_ERROR_H_

#include <sstream>
#include <stdexcept>
#include <string>

#include "sfumato_engine.h"

namespace sfumato {

/// The text with control characters, which names out of damaged files may hold, written as \x00; lines stay.
inline std::string Printable(const std::string& text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string printable;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if ((byte >= 0x20 && byte != 0x7F) || byte == '\n') {
      printable += character;
    } else {
      printable += {'\\', 'x', kDigits[byte / 16], kDigits[byte % 16]};
    }
  }
  return printable;
}

/// The one exception of the core; the C interface turns it into its status and message.
class Error : public std::runtime_error {
 public:
  Error(sfumato_status status, const std::string& message) : std::runtime_error(Printable(message)), status_(status) {}

  sfumato_status status() const { return status_; }

 private:
  sfumato_status status_;
};

/// Throws an Error with the message "name: value (expected: ...)".
template <class Value>
[[noreturn]] void Fail(sfumato_status status, const std::string& name, const Value& value,
                       const std::string& expected) {
  std::ostringstream message;
  message << name << ": " << value << " (expected: " << expected << ")";
  throw Error(status, message.str());
}

/// Throws INVALID_ARGUMENT unless low <= value <= high.
inline void CheckRange(const char* name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return;
  Fail(SFUMATO_INVALID_ARGUMENT, name, value, std::to_string(low) + ".." + std::to_string(high));
}

}  // namespace sfumato

#endif  // SFUMATO_BASE_ERROR_H_
