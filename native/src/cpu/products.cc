#include "cpu/products.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/number_formats.h"

namespace sfumato::cpu {
namespace {

size_t PanelCells(const CpuMatrix& matrix, int64_t panel_width) {
  return static_cast<size_t>(matrix.panel_count() * matrix.elements() * panel_width);
}

/// Weights up to so many bytes may stay in a second-level cache from one step to the next, or come from the third in time.
constexpr int64_t kNearBytes = 2 << 20;

/// Whether rows of so many 4-byte elements, one after the other, begin in at most four different places of a
/// first-level cache whose ways hold 4 KiB: the rows that a kernel multiplies at once would drive each other out.
bool Crowded(int64_t elements) { return elements * 4 % 1024 == 0; }

/// Elements from one row of a copy to the next: an odd number of cache lines.
int64_t CopyStride(int64_t elements) { return (elements + 15) / 32 * 32 + 16; }

int64_t GroupCount(const CpuMatrix& matrix) { return (matrix.elements() + kInt8GroupQuads - 1) / kInt8GroupQuads; }

}  // namespace

CpuMatrix::CpuMatrix(int64_t outputs, int64_t inner, bool gated, Format format, int64_t panel_width)
    : PackedMatrix(outputs, inner, gated),
      format_(format),
      panel_width_(panel_width),
      floats_(format == Format::kFloat ? PanelCells(*this, panel_width) : 0),
      halves_(format == Format::kBfloat16 ? PanelCells(*this, panel_width) : 0),
      pairs_(format == Format::kBfloat16Pairs ? PanelCells(*this, panel_width) : 0),
      quads_(format == Format::kInt8 ? PanelCells(*this, panel_width) : 0),
      scales_(format == Format::kInt8 ? static_cast<size_t>(panel_count() * panel_width) : 0) {}

void CpuMatrix::Write(int64_t panel, int64_t column, const float* weights) {
  const int64_t first = panel * elements() * panel_width_ + column;
  if (format_ == Format::kFloat) {
    float* cells = floats_.data() + first;
    for (int64_t k = 0; k < inner(); ++k) cells[k * panel_width_] = weights[k];
    return;
  }
  if (format_ == Format::kBfloat16) {
    Bfloat16* cells = halves_.data() + first;
    for (int64_t k = 0; k < inner(); ++k) cells[k * panel_width_] = {ToBfloat16(weights[k])};
    return;
  }
  if (format_ == Format::kInt8) {
    WriteQuads(panel, column, weights);
    return;
  }
  Bfloat16Pair* cells = pairs_.data() + first;
  for (int64_t k = 0; k < inner(); k += 2) {
    const float second = k + 1 < inner() ? weights[k + 1] : 0.0f;
    cells[k / 2 * panel_width_] = {ToBfloat16(weights[k]), ToBfloat16(second)};
  }
}

/// Whole numbers of -127..127, plus 128; not-a-number for a scale where weights are not finite.
void CpuMatrix::WriteQuads(int64_t panel, int64_t column, const float* weights) {
  constexpr float kLevels = 127.0f;
  constexpr float kSmallest = 1e-30f;    // below it a column counts as zero, since its scale would be no normal number
  constexpr float kShift = 12582912.0f;  // 1.5 * 2^23: a number added to it loses its fraction
  float largest = 0;
  float zero = 0;  // or not a number
  for (int64_t k = 0; k < inner(); ++k) {
    largest = std::max(largest, std::fabs(weights[k]));
    zero += weights[k] * 0.0f;
  }
  const bool counts = zero == 0.0f && largest >= kSmallest;
  const float factor = counts ? kLevels / largest : 0.0f;
  scales_[static_cast<size_t>(panel * panel_width_ + column)] = (counts ? largest / kLevels : 0.0f) + zero;
  WeightQuad* cells = quads_.data() + panel * elements() * panel_width_ + column;
  for (int64_t k = 0; k < inner(); ++k) {
    const float weight = counts ? weights[k] * factor : 0.0f;
    const int32_t level = std::bit_cast<int32_t>(weight + kShift) - std::bit_cast<int32_t>(kShift);
    cells[k / 4 * panel_width_].levels[k % 4] = static_cast<uint8_t>(level + 128);
  }
}

Products::Products(const Kernels& kernels, RoundingKernels rounding, int threads)
    : kernels_(kernels), rounding_(rounding), inputs_(static_cast<size_t>(threads)) {}

const char* Products::name() const {
  if (rounding_.int8 != nullptr) return rounding_.int8->name;
  return rounding_.bfloat16 != nullptr ? rounding_.bfloat16->name : "f32 packed panels";
}

template <class T>
void Products::Reserve(int64_t size, int64_t& largest, AlignedBuffer<T>& buffer) const {
  if (size <= largest) return;
  largest = size;
  buffer = AlignedBuffer<T>(inputs_.size() * static_cast<size_t>(size));
}

std::unique_ptr<CpuMatrix> Products::NewMatrix(int64_t outputs, int64_t inner, bool gated, DataType weights,
                                               bool exact) {
  CpuMatrix::Format format = weights == DataType::kBfloat16 ? CpuMatrix::Format::kBfloat16 : CpuMatrix::Format::kFloat;
  if (!exact && rounding_.bfloat16 != nullptr) format = CpuMatrix::Format::kBfloat16Pairs;
  if (!exact && rounding_.int8 != nullptr) format = CpuMatrix::Format::kInt8;
  auto matrix = std::make_unique<CpuMatrix>(outputs, inner, gated, format, kernels_.panel_width);
  const int64_t size = kRowTile * CopyStride(matrix->elements());
  if (format == CpuMatrix::Format::kBfloat16Pairs) {
    Reserve(size, rounded_size_, rounded_);
  } else if (format == CpuMatrix::Format::kInt8) {
    Reserve(size * rounding_.int8->quad_bytes, levels_size_, levels_);
    Reserve(kRowTile * GroupCount(*matrix), groups_size_, groups_);
  } else if (Crowded(inner)) {
    Reserve(size, copy_size_, copies_);
  }
  return matrix;
}

void Products::SetInput(const CpuMatrix& weights, const float* input, int64_t rows, int thread) {
  const int64_t inner = weights.inner();
  const int64_t stride = CopyStride(weights.elements());
  Input& taken = inputs_[static_cast<size_t>(thread)];
  taken = {input, inner, rows};
  if (weights.format() == CpuMatrix::Format::kBfloat16Pairs) {
    rounding_.bfloat16->round(input, inner, rows, inner, rounded_.data() + thread * rounded_size_, stride);
    taken.stride = stride;
  } else if (weights.format() == CpuMatrix::Format::kInt8) {
    rounding_.int8->quantise(input, inner, rows, inner, levels_.data() + thread * levels_size_, stride,
                             groups_.data() + thread * groups_size_, GroupCount(weights));
    taken.stride = stride;
  } else if (Crowded(inner)) {
    float* copy = copies_.data() + thread * copy_size_;
    for (int64_t row = 0; row < rows; ++row) std::copy_n(input + row * inner, inner, copy + row * stride);
    taken = {copy, stride, rows};
  }
}

void Products::Run(const CpuMatrix& weights, int64_t first_panel, ProductTile<float> tile, int thread) {
  const Input& input = inputs_[static_cast<size_t>(thread)];
  const bool far = weights.bytes() > kNearBytes;
  if (weights.format() == CpuMatrix::Format::kFloat) {
    tile.input = input.floats;
    tile.input_stride = input.stride;
    tile.rows = input.rows;
    tile.inner = weights.elements();
    tile.panels = weights.floats(first_panel);
    tile.far = far;
    kernels_.product(tile);
    return;
  }
  if (weights.format() == CpuMatrix::Format::kBfloat16) {
    kernels_.product_of_bfloat16({input.floats, input.stride, input.rows, weights.elements(),
                                  weights.halves(first_panel), tile.columns, far, tile.bias, tile.epilogue, tile.output,
                                  tile.output_stride, tile.scratch});
    return;
  }
  if (weights.format() == CpuMatrix::Format::kInt8) {
    rounding_.int8->product({levels_.data() + thread * levels_size_, input.stride, input.rows, weights.elements(),
                             weights.quads(first_panel), tile.columns, far, tile.bias, tile.epilogue, tile.output,
                             tile.output_stride, tile.scratch, groups_.data() + thread * groups_size_,
                             GroupCount(weights), weights.scales(first_panel)});
    return;
  }
  rounding_.bfloat16->product({rounded_.data() + thread * rounded_size_, input.stride, input.rows, weights.elements(),
                               weights.pairs(first_panel), tile.columns, far, tile.bias, tile.epilogue, tile.output,
                               tile.output_stride, tile.scratch});
}

}  // namespace sfumato::cpu
