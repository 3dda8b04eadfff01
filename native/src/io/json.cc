#include "io/json.h"

#include <set>
#include <vector>

#include "base/error.h"

namespace sfumato {
namespace {

constexpr int kMaxDepth = 16;

/// Refuses deep nesting and repeated keys while the parser runs, before it has built anything large.
class BoundedStructure {
 public:
  explicit BoundedStructure(const std::string& what) : what_(what) {}

  bool operator()(int depth, Json::parse_event_t event, Json& value) {
    switch (event) {
      case Json::parse_event_t::object_start:
        if (depth >= kMaxDepth)
          Fail(SFUMATO_DATA_LOSS, what_, "nested too deeply", "at most " + std::to_string(kMaxDepth) + " levels");
        keys_.emplace_back();
        break;
      case Json::parse_event_t::array_start:
        if (depth >= kMaxDepth)
          Fail(SFUMATO_DATA_LOSS, what_, "nested too deeply", "at most " + std::to_string(kMaxDepth) + " levels");
        break;
      case Json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      case Json::parse_event_t::key:
        if (!keys_.back().insert(value.get<std::string>()).second) {
          Fail(SFUMATO_DATA_LOSS, what_, "key \"" + value.get<std::string>() + "\" twice", "each key once");
        }
        break;
      case Json::parse_event_t::array_end:
      case Json::parse_event_t::value:
        break;
    }
    return true;
  }

 private:
  const std::string& what_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

Json ParseJsonObject(std::string_view text, const std::string& what) {
  Json document;
  BoundedStructure structure(what);
  try {
    document = Json::parse(text.begin(), text.end(), std::ref(structure));
  } catch (const Json::exception& e) {
    Fail(SFUMATO_DATA_LOSS, what, e.what(), "valid JSON");
  }
  if (!document.is_object()) Fail(SFUMATO_DATA_LOSS, what, document.type_name(), "a JSON object");
  return document;
}

}  // namespace sfumato
