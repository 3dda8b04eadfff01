#include "io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "base/error.h"
#include "base/number_formats.h"
#include "io/json.h"
#include "io/problem_list.h"

namespace sfumato {
namespace {

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr size_t kMaxDimensions = 8;

struct TypeName {
  const char* name;
  int64_t bits;
  std::optional<DataType> type;
};

constexpr TypeName kTypes[] = {
    {"F32", 32, DataType::kFloat32}, {"BF16", 16, DataType::kBfloat16}, {"F16", 16, DataType::kFloat16},
    {"F64", 64, std::nullopt},       {"I64", 64, std::nullopt},         {"I32", 32, std::nullopt},
    {"I16", 16, std::nullopt},       {"I8", 8, std::nullopt},           {"U64", 64, std::nullopt},
    {"U32", 32, std::nullopt},       {"U16", 16, std::nullopt},         {"U8", 8, std::nullopt},
    {"BOOL", 8, std::nullopt},       {"F8_E4M3", 8, std::nullopt},      {"F8_E5M2", 8, std::nullopt},
};

const TypeName* FindType(const std::string& name) {
  const auto* found =
      std::find_if(std::begin(kTypes), std::end(kTypes), [&name](const TypeName& type) { return name == type.name; });
  return found == std::end(kTypes) ? nullptr : found;
}

struct Range {
  uint64_t begin;
  uint64_t end;
  std::string name;
};

/// The header's text. Throws DATA_LOSS when the file is too short for it.
std::string_view HeaderText(const uint8_t* bytes, uint64_t size, const std::string& path) {
  if (size < kLengthBytes) Fail(SFUMATO_DATA_LOSS, path, std::to_string(size) + " bytes", "at least 8 bytes");
  uint64_t length = 0;
  std::memcpy(&length, bytes, kLengthBytes);
  const uint64_t limit = std::min(kMaxHeaderBytes, size - kLengthBytes);
  if (length < 2 || length > limit)
    Fail(SFUMATO_DATA_LOSS, path + " header length", length, "2.." + std::to_string(limit));
  return {reinterpret_cast<const char*>(bytes) + kLengthBytes, static_cast<size_t>(length)};
}

/// Reads a list of non-negative integers; nothing when it is something else.
std::optional<std::vector<int64_t>> Integers(const Json& value, size_t max_size) {
  if (!value.is_array() || value.size() > max_size) return std::nullopt;
  std::vector<int64_t> numbers;
  for (const Json& number : value) {
    if (!number.is_number_unsigned() ||
        number.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return std::nullopt;
    }
    numbers.push_back(number.get<int64_t>());
  }
  return numbers;
}

/// Product of the factors; nothing when it does not fit.
std::optional<int64_t> Product(const std::vector<int64_t>& factors, int64_t scale) {
  int64_t product = scale;
  for (const int64_t factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) return std::nullopt;
  }
  return product;
}

}  // namespace

int64_t BytesPerNumber(DataType type) { return type == DataType::kFloat32 ? 4 : 2; }

int64_t TensorView::size() const { return Product(shape, 1).value(); }

void ReadFloats(const TensorView& tensor, int64_t first, int64_t size, float* out) {
  if (size == 0) return;
  const uint8_t* source = tensor.data + first * BytesPerNumber(tensor.type);
  if (tensor.type == DataType::kFloat32) {
    std::memcpy(out, source, static_cast<size_t>(size) * sizeof(float));
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    uint16_t bits;
    std::memcpy(&bits, source + 2 * i, 2);
    out[i] = tensor.type == DataType::kBfloat16 ? FromBfloat16(bits) : FromFloat16(bits);
  }
}

SafetensorsContents ParseSafetensors(const uint8_t* bytes, uint64_t size, const std::string& path) {
  const std::string_view text = HeaderText(bytes, size, path);
  const Json header = ParseJsonObject(text, path + " header");
  const uint8_t* data = bytes + kLengthBytes + text.size();
  const uint64_t data_bytes = size - kLengthBytes - text.size();

  SafetensorsContents contents;
  ProblemList problems;
  std::vector<Range> ranges;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const std::string label = path + " " + name;
    if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string() || !entry.contains("shape") ||
        !entry.contains("data_offsets")) {
      problems.Add(label, entry.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 200),
                   "an object with dtype, shape and data_offsets");
      continue;
    }
    const TypeName* type = FindType(entry["dtype"].get<std::string>());
    const auto shape = Integers(entry["shape"], kMaxDimensions);
    const auto offsets = Integers(entry["data_offsets"], 2);
    if (type == nullptr) {
      problems.Add(label + " dtype", entry["dtype"].get<std::string>().substr(0, 40),
                   "a type of the safetensors format");
    }
    if (!shape)
      problems.Add(label + " shape", entry["shape"].dump().substr(0, 200), "at most 8 dimensions of 0 or more");
    if (!offsets || offsets->size() != 2)
      problems.Add(label + " data_offsets", entry["data_offsets"].dump().substr(0, 200), "two offsets");
    if (type == nullptr || !shape || !offsets || offsets->size() != 2) continue;

    const auto begin = static_cast<uint64_t>((*offsets)[0]);
    const auto end = static_cast<uint64_t>((*offsets)[1]);
    const auto length = Product(*shape, type->bits / 8);
    if (begin > end || end > data_bytes) {
      problems.Add(label + " data_offsets", std::to_string(begin) + ".." + std::to_string(end),
                   "0.." + std::to_string(data_bytes));
    } else if (!length || static_cast<uint64_t>(*length) != end - begin) {
      problems.Add(label + " length", std::to_string(end - begin) + " bytes",
                   length ? std::to_string(*length) + " for its shape and dtype" : "fewer");
    } else {
      ranges.push_back({begin, end, label});
      if (type->type) {
        contents.tensors[name] = TensorView{*type->type, *shape, data + begin};
      } else {
        contents.unreadable[name] = type->name;
      }
    }
  }
  if (problems.empty()) {
    std::sort(ranges.begin(), ranges.end(),
              [](const Range& a, const Range& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
    uint64_t filled = 0;
    for (const Range& range : ranges) {
      if (range.begin != filled)
        problems.Add(range.name + " data_offsets", std::to_string(range.begin), std::to_string(filled));
      filled = std::max(filled, range.end);
    }
    if (filled != data_bytes)
      problems.Add(path + " data", std::to_string(data_bytes) + " bytes",
                   std::to_string(filled) + " that tensors fill");
  }
  problems.ThrowIfAny();
  return contents;
}

SafetensorsFile::SafetensorsFile(const std::string& path)
    : file_(path), contents_(ParseSafetensors(file_.data(), file_.size(), path)) {}

}  // namespace sfumato
