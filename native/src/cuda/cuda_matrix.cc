#include "cuda/cuda_matrix.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"

namespace sfumato::cuda {
namespace {

int64_t OutputsOf(const std::vector<TensorView>& parts, bool gated) {
  int64_t outputs = 0;
  for (const TensorView& part : parts) outputs += part.shape[0];
  return gated ? parts.front().shape[0] : outputs;
}

WeightFormat FormatOf(const std::vector<TensorView>& parts, Precision precision) {
  if (precision == Precision::kFp8) return WeightFormat::kFp8;
  if (precision == Precision::kInt4) return WeightFormat::kInt4;
  if (precision == Precision::kFp8Inputs) return WeightFormat::kFp8Pairs;
  const bool exact =
      std::all_of(parts.begin(), parts.end(), [](const TensorView& part) { return part.type == DataType::kBfloat16; });
  return precision == Precision::kBfloat16 || exact ? WeightFormat::kBfloat16 : WeightFormat::kBfloat16Terms;
}

/// The row of the file's matrices that is row `output` of the strips; false for padding.
bool FindRow(const std::vector<TensorView>& parts, bool gated, int64_t output, const TensorView*& part, int64_t& row) {
  if (gated) {
    const int64_t strip = output / kStripOutputs;
    part = &parts[static_cast<size_t>(strip % 2)];
    row = strip / 2 * kStripOutputs + output % kStripOutputs;
    return row < part->shape[0];
  }
  row = output;
  for (const TensorView& candidate : parts) {
    part = &candidate;
    if (row < candidate.shape[0]) return true;
    row -= candidate.shape[0];
  }
  return false;
}

}  // namespace

CudaMatrix::CudaMatrix(Device& device, HostStaging& staging, ThreadPool& pool, Precision precision,
                       const std::vector<TensorView>& parts, bool gated)
    : PackedMatrix(OutputsOf(parts, gated), parts.front().shape[1], gated),
      precision_(precision),
      format_(FormatOf(parts, precision)) {
  const WeightShape shape = ShapeOf(format_);
  const int64_t rows = gated ? (outputs() + kStripOutputs - 1) / kStripOutputs * 2 * kStripOutputs : outputs();
  const int64_t blocks = (rows + kBlockOutputs - 1) / kBlockOutputs;
  const int64_t load_inner = shape.load_tiles * kInnerTile;
  const int64_t loads = (inner() + load_inner - 1) / load_inner;
  const int64_t block_words = loads * kBlockStrips * shape.load_words;
  words_ = DeviceArray<uint32_t>(device, blocks * block_words);
  if (shape.output_scales) scales_ = DeviceArray<float>(device, blocks * kBlockOutputs);
  fragments_ = {words_.data(),
                scales_.data(),
                outputs(),
                shape.numbers == 1 ? inner() : loads * load_inner / shape.numbers,
                static_cast<int32_t>(blocks * kBlockStrips),
                static_cast<int32_t>(loads * shape.load_tiles / shape.numbers),
                gated};
  if (device.plans_only()) return;
  // Some blocks at a time, so that the host holds little of the matrix twice.
  const int64_t strip_floats = kStripOutputs * loads * load_inner;
  const int64_t batch = std::clamp<int64_t>(HostStaging::kBytes / (block_words * 4), 1, blocks);
  std::vector<float> numbers(static_cast<size_t>(strip_floats * pool.threads()));
  std::vector<float> scales(static_cast<size_t>(shape.output_scales ? blocks * kBlockOutputs : 0));
  std::atomic<int64_t> unusable = -1;
  for (int64_t first = 0; first < blocks; first += batch) {
    const int64_t count = std::min(batch, blocks - first);
    auto* packed = reinterpret_cast<uint32_t*>(staging.Next(count * block_words * 4));
    pool.Run(count * kBlockStrips, [&](int64_t task, int thread) noexcept {
      float* strip = numbers.data() + thread * strip_floats;
      std::fill_n(strip, strip_floats, 0.0f);
      const TensorView* part = nullptr;
      int64_t row = 0;
      for (int64_t i = 0; i < kStripOutputs; ++i) {
        if (FindRow(parts, gated, first * kBlockOutputs + task * kStripOutputs + i, part, row))
          ReadFloats(*part, row * inner(), inner(), strip + i * loads * load_inner);
      }
      const int64_t place = task / kBlockStrips * block_words + task % kBlockStrips * shape.load_words;
      const int64_t output = first * kBlockOutputs + task * kStripOutputs;
      float* strip_scales = shape.output_scales ? scales.data() + output : nullptr;
      const int bad = PackStrip(format_, strip, loads * shape.load_tiles, packed + place, strip_scales);
      if (bad >= 0 && FindRow(parts, gated, output + bad, part, row)) unusable = row;
    });
    if (unusable >= 0) RefuseWeights(format_, unusable);
    staging.Send(words_.data() + first * block_words, count * block_words * 4);
  }
  if (shape.output_scales) device.Upload(scales_.data(), scales.data(), scales_.bytes());
}

CudaMatrixGroup::CudaMatrixGroup(Device& device, const std::vector<const PackedMatrix*>& matrices)
    : table_(device, static_cast<int64_t>(matrices.size())) {
  std::vector<Fragments> fragments;
  for (const PackedMatrix* matrix : matrices) fragments.push_back(static_cast<const CudaMatrix*>(matrix)->fragments());
  first_ = fragments.front();
  precision_ = static_cast<const CudaMatrix*>(matrices.front())->precision();
  format_ = static_cast<const CudaMatrix*>(matrices.front())->format();
  for (const PackedMatrix* matrix : matrices) {
    if (static_cast<const CudaMatrix*>(matrix)->format() == format_) continue;
    Fail(SFUMATO_UNIMPLEMENTED, "experts' weights", "BF16 and other types", "one type for the experts of a layer");
  }
  device.Upload(table_.data(), fragments.data(), table_.bytes());
}

}  // namespace sfumato::cuda
