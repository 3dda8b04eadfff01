#include "io/checkpoint.h"

#include <filesystem>
#include <set>

#include "base/error.h"
#include "io/mapped_file.h"

namespace sfumato {
namespace {

constexpr uint64_t kMaxIndexBytes = 64 << 20;
constexpr size_t kMaxShards = 1024;

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (const int64_t dimension : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(dimension);
  return text + "]";
}

/// The shard names of an index. Throws DATA_LOSS; a shard is a plain file name, so that an index can't reach outside
/// its directory.
std::set<std::string> ShardNames(const std::string& path) {
  const MappedFile file(path);
  if (file.size() > kMaxIndexBytes)
    Fail(SFUMATO_DATA_LOSS, path, std::to_string(file.size()) + " bytes", "at most 64 MiB");
  const Json index =
      ParseJsonObject({reinterpret_cast<const char*>(file.data()), static_cast<size_t>(file.size())}, path);
  if (!index.contains("weight_map") || !index["weight_map"].is_object())
    Fail(SFUMATO_DATA_LOSS, path + " weight_map", "missing", "an object");
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : index["weight_map"].items()) {
    const std::string name = shard.is_string() ? shard.get<std::string>() : "";
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos) {
      Fail(SFUMATO_DATA_LOSS, path + " weight_map " + tensor, shard.dump().substr(0, 100), "a file name");
    }
    shards.insert(name);
  }
  if (shards.size() > kMaxShards) Fail(SFUMATO_DATA_LOSS, path + " shards", shards.size(), "at most 1024");
  return shards;
}

}  // namespace

Checkpoint::Checkpoint(const std::string& directory) : directory_(directory) {
  const std::filesystem::path base(directory);
  std::error_code ignored;
  if (!std::filesystem::is_directory(base, ignored))
    Fail(SFUMATO_NOT_FOUND, "model_directory", directory, "a directory");
  config_ = Config::Read((base / "config.json").string());
  const std::filesystem::path single = base / "model.safetensors";
  const std::filesystem::path index = base / "model.safetensors.index.json";
  if (std::filesystem::exists(single, ignored)) {
    AddShard(single.string());
  } else if (std::filesystem::exists(index, ignored)) {
    for (const std::string& shard : ShardNames(index.string())) AddShard((base / shard).string());
  } else {
    Fail(SFUMATO_NOT_FOUND, "model_directory", directory, "model.safetensors or model.safetensors.index.json in it");
  }
}

void Checkpoint::AddShard(const std::string& path) {
  const SafetensorsFile& file = files_.emplace_back(path);
  for (const auto& [name, tensor] : file.tensors()) {
    if (!tensors_.emplace(name, tensor).second)
      Fail(SFUMATO_DATA_LOSS, path + " " + name, "in two shards", "each tensor once");
  }
  unreadable_.insert(file.unreadable().begin(), file.unreadable().end());
}

int64_t Checkpoint::bytes() const {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors_) bytes += tensor.size() * BytesPerNumber(tensor.type);
  return bytes;
}

std::vector<std::string> Checkpoint::TensorNames() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  for (const auto& [name, type] : unreadable_) names.push_back(name);
  return names;
}

TensorView Checkpoint::Find(const std::string& name, const std::vector<int64_t>& shape, ProblemList& problems) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) {
    const auto unreadable = unreadable_.find(name);
    problems.Add(name, unreadable == unreadable_.end() ? "missing" : unreadable->second,
                 unreadable == unreadable_.end() ? "shape " + ShapeText(shape) : "F32, BF16 or F16");
    return {};
  }
  if (found->second.shape != shape) {
    problems.Add(name, "shape " + ShapeText(found->second.shape), ShapeText(shape));
    return {};
  }
  return found->second;
}

}  // namespace sfumato
