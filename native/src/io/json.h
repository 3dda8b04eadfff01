#ifndef SFUMATO_IO_JSON_H_
#define SFUMATO_IO_JSON_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace sfumato {

using Json = nlohmann::json;

/// Parses an object. The text may nest at most 16 levels and repeat no key; what names it in messages. Throws
/// DATA_LOSS.
Json ParseJsonObject(std::string_view text, const std::string& what);

}  // namespace sfumato

#endif  // SFUMATO_IO_JSON_H_
