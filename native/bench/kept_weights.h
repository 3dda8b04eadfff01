#ifndef SFUMATO_BENCH_KEPT_WEIGHTS_H_
#define SFUMATO_BENCH_KEPT_WEIGHTS_H_

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "cuda/weight_packing.h"
#include "cuda/weights.h"
#include "io/checkpoint.h"
#include "models/registry.h"
#include "ops/backend.h"

namespace sfumato::bench {

/// What is left of weights [outputs, inner] when they are packed.
inline std::vector<float> KeptWeights(cuda::WeightFormat format, const std::vector<float>& weights, int64_t outputs,
                                      int64_t inner) {
  const cuda::WeightShape shape = cuda::ShapeOf(format);
  const int64_t tiles =
      (inner + shape.load_tiles * cuda::kInnerTile - 1) / (shape.load_tiles * cuda::kInnerTile) * shape.load_tiles;
  const int64_t width = tiles * cuda::kInnerTile;
  std::vector<float> rows(static_cast<size_t>(cuda::kStripOutputs * width));
  std::vector<uint32_t> words(static_cast<size_t>(tiles / shape.load_tiles * cuda::kBlockStrips * shape.load_words));
  std::vector<float> scales(cuda::kStripOutputs);
  std::vector<float> kept = weights;
  for (int64_t first = 0; first < outputs; first += cuda::kStripOutputs) {
    const int64_t count = std::min<int64_t>(cuda::kStripOutputs, outputs - first);
    std::fill(rows.begin(), rows.end(), 0.0f);
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(weights.begin() + (first + i) * inner, inner, rows.begin() + i * width);
    cuda::PackStrip(format, rows.data(), tiles, words.data(), scales.data());
    cuda::UnpackStrip(format, words.data(), scales.data(), tiles, rows.data());
    for (int64_t i = 0; i < count; ++i)
      std::copy_n(rows.begin() + i * width, inner, kept.begin() + (first + i) * inner);
  }
  return kept;
}

/// What a head is kept in, which CudaBackend::PackHead packs.
constexpr cuda::WeightFormat HeadFormat(cuda::WeightFormat format) {
  return format == cuda::WeightFormat::kInt4 ? cuda::WeightFormat::kFp8 : format;
}

/// Notes which weights a model packs for products that round.
template <class Base>
class PackingNotes : public Base {
 public:
  using Base::Base;

  std::unique_ptr<PackedMatrix> Pack(const std::vector<TensorView>& parts) override {
    Note(parts);
    return Base::Pack(parts);
  }
  std::unique_ptr<PackedMatrix> PackGated(const TensorView& gate, const TensorView& up) override {
    Note({gate, up});
    return Base::PackGated(gate, up);
  }
  std::unique_ptr<PackedMatrix> PackExpert(const TensorView& matrix) override {
    Note({matrix});
    return Base::PackExpert(matrix);
  }
  std::unique_ptr<PackedMatrix> PackGatedExpert(const TensorView& gate, const TensorView& up) override {
    Note({gate, up});
    return Base::PackGatedExpert(gate, up);
  }
  std::unique_ptr<PackedMatrix> PackHead(const TensorView& matrix) override {
    Note({matrix});
    heads.insert(matrix.data);
    return Base::PackHead(matrix);
  }
  std::unique_ptr<EmbeddingTable> UploadTable(const TensorView& table) override {
    tables.insert(table.data);
    return Base::UploadTable(table);
  }

  std::map<const uint8_t*, TensorView> packed;  // by their data
  std::set<const uint8_t*> heads;
  std::set<const uint8_t*> tables;

 private:
  /// A backend may pack by another of these functions.
  void Note(const std::vector<TensorView>& parts) {
    for (const TensorView& part : parts) packed.emplace(part.data, part);
  }
};

/// Writes the model with its weights as the format keeps them, in F32, to another directory, which must be there: what the
/// backend, a PackingNotes, is asked to pack but for the tensors in `exact`; all else is copied. Throws FAILED_PRECONDITION
/// for a head that is the embedding table as well, which stays as it is.
template <class Notes>
void WriteKeptCheckpoint(const std::string& directory, cuda::WeightFormat format, const std::set<std::string>& exact,
                         Notes& backend, const std::string& output) {
  const Checkpoint checkpoint(directory);
  LoadModel(backend, checkpoint, {16, 1, 1, 0});
  std::vector<std::filesystem::path> shards;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() == ".safetensors" && name.starts_with("model")) {
      shards.push_back(entry.path());
    } else if (entry.is_regular_file() && entry.path().extension() == ".json" && !name.starts_with("model.")) {
      std::filesystem::copy_file(entry, output / entry.path().filename(),
                                 std::filesystem::copy_options::overwrite_existing);
    }
  }
  nlohmann::json header;
  std::vector<std::vector<uint8_t>> bytes;
  uint64_t size = 0;
  for (const auto& shard : shards) {
    const SafetensorsFile file(shard);
    for (const auto& [name, tensor] : file.tensors()) {
      ProblemList problems;
      const TensorView view = checkpoint.Find(name, tensor.shape, problems);
      const int64_t tensor_bytes = tensor.size() * BytesPerNumber(tensor.type);
      std::vector<float> values;
      for (const auto& [data, part] : backend.packed) {
        if (data < view.data || data >= view.data + tensor_bytes || exact.contains(name)) continue;
        if (backend.tables.contains(data))
          Fail(SFUMATO_FAILED_PRECONDITION, name, "head and embedding table", "a tensor of its own for the head");
        if (values.empty()) {
          values.resize(static_cast<size_t>(tensor.size()));
          ReadFloats(tensor, 0, tensor.size(), values.data());
        }
        const auto first = values.begin() + (data - view.data) / BytesPerNumber(part.type);
        const cuda::WeightFormat part_format = backend.heads.contains(data) ? HeadFormat(format) : format;
        const std::vector<float> kept =
            KeptWeights(part_format, {first, first + part.size()}, part.shape[0], part.shape[1]);
        std::copy(kept.begin(), kept.end(), first);
      }
      const auto* data = values.empty() ? tensor.data : reinterpret_cast<const uint8_t*>(values.data());
      bytes.emplace_back(data, data + (values.empty() ? tensor_bytes : tensor.size() * 4));
      const char* type = tensor.type == DataType::kBfloat16  ? "BF16"
                         : tensor.type == DataType::kFloat16 ? "F16"
                                                             : "F32";
      header[name] = {{"dtype", values.empty() ? type : "F32"},
                      {"shape", tensor.shape},
                      {"data_offsets", {size, size + bytes.back().size()}}};
      size += bytes.back().size();
    }
  }
  const std::string text = header.dump();
  const uint64_t length = text.size();
  std::ofstream stream(output + "/model.safetensors", std::ios::binary);
  stream.write(reinterpret_cast<const char*>(&length), sizeof(length));
  stream << text;
  for (const auto& tensor : bytes)
    stream.write(reinterpret_cast<const char*>(tensor.data()), static_cast<std::streamsize>(tensor.size()));
  if (!stream.flush()) Fail(SFUMATO_INTERNAL, output, "cannot be written", "a directory with room");
}

}  // namespace sfumato::bench

#endif  // SFUMATO_BENCH_KEPT_WEIGHTS_H_
