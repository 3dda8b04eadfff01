#include "cuda/cuda_matrix.h"

#include <algorithm>

#include "base/error.h"
#include "base/number_formats.h"

namespace sfumato::cuda {
namespace {

int64_t OutputsOf(const std::vector<TensorView>& parts, bool gated) {
  int64_t outputs = 0;
  for (const TensorView& part : parts) outputs += part.shape[0];
  return gated ? parts.front().shape[0] : outputs;
}

int TermsOf(const std::vector<TensorView>& parts, Precision precision) {
  const bool exact =
      std::all_of(parts.begin(), parts.end(), [](const TensorView& part) { return part.type == DataType::kBfloat16; });
  return precision == Precision::kBfloat16 || exact ? 1 : 3;
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

/// The next terms of two numbers, which keep what is left.
uint32_t TakeTerms(float& low, float& high) {
  const uint16_t low_term = ToBfloat16(low);
  const uint16_t high_term = ToBfloat16(high);
  low -= FromBfloat16(low_term);
  high -= FromBfloat16(high_term);
  return low_term | static_cast<uint32_t>(high_term) << 16;
}

/// One strip's fragments. rows: its rows of the file, [kStripOutputs, tiles * kInnerTile], used up.
void PackStrip(float* rows, int64_t tiles, int terms, Word4* words) {
  for (int64_t tile = 0; tile < tiles; ++tile) {
    for (int term = 0; term < terms; ++term) {
      for (int lane = 0; lane < kWarpThreads; ++lane) {
        float* upper = rows + lane / 4 * tiles * kInnerTile + tile * kInnerTile + lane % 4 * 4;
        float* lower = upper + 8 * tiles * kInnerTile;
        words[(tile * terms + term) * kWarpThreads + lane] = {
            TakeTerms(upper[0], upper[1]), TakeTerms(lower[0], lower[1]), TakeTerms(upper[2], upper[3]),
            TakeTerms(lower[2], lower[3])};
      }
    }
  }
}

}  // namespace

CudaMatrix::CudaMatrix(Device& device, HostStaging& staging, ThreadPool& pool, Precision precision,
                       const std::vector<TensorView>& parts, bool gated)
    : PackedMatrix(OutputsOf(parts, gated), parts.front().shape[1], gated),
      precision_(precision),
      terms_(TermsOf(parts, precision)) {
  const int64_t rows = gated ? (outputs() + kStripOutputs - 1) / kStripOutputs * 2 * kStripOutputs : outputs();
  const int64_t blocks = (rows + kBlockOutputs - 1) / kBlockOutputs;
  const int64_t tiles = (inner() + kInnerTile - 1) / kInnerTile;
  const int64_t strip_words = tiles * terms_ * kWarpThreads;
  words_ = DeviceArray<Word4>(device, blocks * kBlockStrips * strip_words);
  fragments_ = {
      words_.data(), outputs(), inner(), static_cast<int32_t>(blocks * kBlockStrips), static_cast<int32_t>(tiles),
      gated};
  if (device.plans_only()) return;
  // Some strips at a time, so that the host holds little of the matrix twice.
  const int64_t strip_floats = kStripOutputs * tiles * kInnerTile;
  const int64_t batch = std::clamp<int64_t>(HostStaging::kBytes / (strip_words * 16), 1, blocks * kBlockStrips);
  std::vector<float> numbers(static_cast<size_t>(strip_floats * pool.threads()));
  for (int64_t first = 0; first < blocks * kBlockStrips; first += batch) {
    const int64_t count = std::min(batch, blocks * kBlockStrips - first);
    auto* packed = reinterpret_cast<Word4*>(staging.Next(count * strip_words * 16));
    pool.Run(count, [&](int64_t task, int thread) noexcept {
      float* strip = numbers.data() + thread * strip_floats;
      std::fill_n(strip, strip_floats, 0.0f);
      for (int64_t i = 0; i < kStripOutputs; ++i) {
        const TensorView* part = nullptr;
        int64_t row = 0;
        if (FindRow(parts, gated, (first + task) * kStripOutputs + i, part, row))
          ReadFloats(*part, row * inner(), inner(), strip + i * tiles * kInnerTile);
      }
      PackStrip(strip, tiles, terms_, packed + task * strip_words);
    });
    staging.Send(words_.data() + first * strip_words, count * strip_words * 16);
  }
}

CudaMatrixGroup::CudaMatrixGroup(Device& device, const std::vector<const PackedMatrix*>& matrices)
    : table_(device, static_cast<int64_t>(matrices.size())) {
  std::vector<Fragments> fragments;
  for (const PackedMatrix* matrix : matrices) fragments.push_back(static_cast<const CudaMatrix*>(matrix)->fragments());
  first_ = fragments.front();
  precision_ = static_cast<const CudaMatrix*>(matrices.front())->precision();
  terms_ = static_cast<const CudaMatrix*>(matrices.front())->terms();
  for (const PackedMatrix* matrix : matrices) {
    if (static_cast<const CudaMatrix*>(matrix)->terms() == terms_) continue;
    Fail(SFUMATO_UNIMPLEMENTED, "experts' weights", "BF16 and other types", "one type for the experts of a layer");
  }
  device.Upload(table_.data(), fragments.data(), table_.bytes());
}

}  // namespace sfumato::cuda
