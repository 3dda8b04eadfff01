#ifndef SFUMATO_IO_CONFIG_H_
#define SFUMATO_IO_CONFIG_H_

#include <string>
#include <vector>

#include "io/json.h"

namespace sfumato {

/// A model's config.json with typed access. Errors name the file's field: "config.json n_heads: 0 (expected: 1..1024)".
class Config {
 public:
  Config() = default;
  /// Throws NOT_FOUND or DATA_LOSS.
  static Config Read(const std::string& path);
  explicit Config(Json document, std::string path = "config.json ")
      : document_(std::move(document)), path_(std::move(path)) {}

  /// A section that must be there, with fields of its own; its errors name it.
  Config Section(const std::string& name) const;

  /// Whether the field is there and not null.
  bool Has(const std::string& name) const;

  /// A field that must be there, low <= value <= high; throws DATA_LOSS.
  int64_t Integer(const std::string& name, int64_t low, int64_t high) const;
  double Real(const std::string& name, double low, double high) const;
  std::string Text(const std::string& name) const;

  /// A field that may be missing or null.
  int64_t IntegerOr(const std::string& name, int64_t low, int64_t high, int64_t fallback) const;
  double RealOr(const std::string& name, double low, double high, double fallback) const;
  bool BooleanOr(const std::string& name, bool fallback) const;
  std::string TextOr(const std::string& name, const std::string& fallback) const;

  /// A list of so many integers that must be there, low <= each <= high; throws DATA_LOSS.
  std::vector<int64_t> Integers(const std::string& name, int64_t low, int64_t high, int64_t count) const;

  /// A list of at most so many such integers; empty when the field is missing or null.
  std::vector<int64_t> IntegersOrNone(const std::string& name, int64_t low, int64_t high, int64_t most) const;

  /// A list of so many strings that must be there; throws DATA_LOSS.
  std::vector<std::string> Texts(const std::string& name, int64_t count) const;

  /// The first entry of a list of strings; empty when the field is missing, null or an empty list.
  std::string FirstTextOf(const std::string& name) const;

  /// A token id, or -1 when the field is missing or null.
  int32_t TokenOr(const std::string& name, int64_t vocabulary) const;

  /// Throws UNIMPLEMENTED when the field is there and has another value.
  void RequireText(const std::string& name, const std::string& expected) const;
  void RequireBoolean(const std::string& name, bool expected) const;
  /// The same unless the field is missing or null.
  void RequireNull(const std::string& name) const;

 private:
  const Json& Field(const std::string& name) const;
  std::vector<int64_t> IntegersOf(const std::string& name, int64_t low, int64_t high) const;

  std::string Label(const std::string& name) const { return path_ + name; }

  Json document_;
  std::string path_ = "config.json ";
};

}  // namespace sfumato

#endif  // SFUMATO_IO_CONFIG_H_
