#include "io/config.h"

#include <algorithm>

#include "base/error.h"
#include "io/mapped_file.h"

namespace sfumato {
namespace {

constexpr uint64_t kMaxConfigBytes = 1 << 20;

std::string Shown(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 100);
}

template <class Number>
std::string Interval(Number low, Number high) {
  std::ostringstream text;
  text << low << ".." << high;
  return text.str();
}

}  // namespace

Config Config::Read(const std::string& path) {
  const MappedFile file(path);
  if (file.size() > kMaxConfigBytes)
    Fail(SFUMATO_DATA_LOSS, path, std::to_string(file.size()) + " bytes", "at most 1 MiB");
  return Config(ParseJsonObject({reinterpret_cast<const char*>(file.data()), static_cast<size_t>(file.size())}, path));
}

Config Config::Section(const std::string& name) const {
  const Json& value = Field(name);
  if (!value.is_object()) Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), "an object");
  return Config(value, path_ + name + ".");
}

bool Config::Has(const std::string& name) const {
  const auto field = document_.find(name);
  return field != document_.end() && !field->is_null();
}

const Json& Config::Field(const std::string& name) const {
  if (!Has(name)) Fail(SFUMATO_DATA_LOSS, Label(name), "missing", "a value");
  return document_[name];
}

int64_t Config::Integer(const std::string& name, int64_t low, int64_t high) const {
  const Json& value = Field(name);
  if (!value.is_number_integer() ||
      (value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(high)) ||
      value.get<int64_t>() < low || value.get<int64_t>() > high) {
    Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), Interval(low, high));
  }
  return value.get<int64_t>();
}

double Config::Real(const std::string& name, double low, double high) const {
  const Json& value = Field(name);
  if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
    Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), Interval(low, high));
  }
  return value.get<double>();
}

std::string Config::Text(const std::string& name) const {
  const Json& value = Field(name);
  if (!value.is_string()) Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), "a string");
  return value.get<std::string>();
}

int64_t Config::IntegerOr(const std::string& name, int64_t low, int64_t high, int64_t fallback) const {
  return Has(name) ? Integer(name, low, high) : fallback;
}

double Config::RealOr(const std::string& name, double low, double high, double fallback) const {
  return Has(name) ? Real(name, low, high) : fallback;
}

bool Config::BooleanOr(const std::string& name, bool fallback) const {
  if (!Has(name)) return fallback;
  const Json& value = Field(name);
  if (!value.is_boolean()) Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), "true or false");
  return value.get<bool>();
}

std::string Config::TextOr(const std::string& name, const std::string& fallback) const {
  return Has(name) ? Text(name) : fallback;
}

std::vector<int64_t> Config::Integers(const std::string& name, int64_t low, int64_t high, int64_t count) const {
  const Json& value = Field(name);
  if (!value.is_array() || static_cast<int64_t>(value.size()) != count)
    Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), "a list of " + std::to_string(count) + " integers");
  return IntegersOf(name, low, high);
}

std::vector<int64_t> Config::IntegersOrNone(const std::string& name, int64_t low, int64_t high, int64_t most) const {
  if (!Has(name)) return {};
  const Json& value = Field(name);
  if (!value.is_array() || static_cast<int64_t>(value.size()) > most)
    Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), "a list of at most " + std::to_string(most) + " integers");
  return IntegersOf(name, low, high);
}

std::vector<int64_t> Config::IntegersOf(const std::string& name, int64_t low, int64_t high) const {
  std::vector<int64_t> numbers;
  for (const Json& entry : Field(name)) {
    const bool fits = entry.is_number_integer() &&
                      !(entry.is_number_unsigned() && entry.get<uint64_t>() > static_cast<uint64_t>(high)) &&
                      entry.get<int64_t>() >= low && entry.get<int64_t>() <= high;
    if (!fits) Fail(SFUMATO_DATA_LOSS, Label(name), Shown(entry), "entries of " + Interval(low, high));
    numbers.push_back(entry.get<int64_t>());
  }
  return numbers;
}

std::vector<std::string> Config::Texts(const std::string& name, int64_t count) const {
  const Json& value = Field(name);
  const bool strings =
      value.is_array() && std::all_of(value.begin(), value.end(), [](const Json& entry) { return entry.is_string(); });
  if (!strings || static_cast<int64_t>(value.size()) != count)
    Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), "a list of " + std::to_string(count) + " strings");
  return value.get<std::vector<std::string>>();
}

std::string Config::FirstTextOf(const std::string& name) const {
  if (!Has(name)) return "";
  const Json& value = Field(name);
  if (!value.is_array() || (!value.empty() && !value.front().is_string()))
    Fail(SFUMATO_DATA_LOSS, Label(name), Shown(value), "a list of strings");
  return value.empty() ? "" : value.front().get<std::string>();
}

int32_t Config::TokenOr(const std::string& name, int64_t vocabulary) const {
  return static_cast<int32_t>(IntegerOr(name, 0, vocabulary - 1, -1));
}

void Config::RequireText(const std::string& name, const std::string& expected) const {
  const std::string value = TextOr(name, expected);
  if (value != expected) Fail(SFUMATO_UNIMPLEMENTED, Label(name), value.substr(0, 100), expected);
}

void Config::RequireBoolean(const std::string& name, bool expected) const {
  const bool value = BooleanOr(name, expected);
  if (value != expected)
    Fail(SFUMATO_UNIMPLEMENTED, Label(name), value ? "true" : "false", expected ? "true" : "false");
}

void Config::RequireNull(const std::string& name) const {
  if (Has(name)) Fail(SFUMATO_UNIMPLEMENTED, Label(name), Shown(document_[name]), "null");
}

}  // namespace sfumato
