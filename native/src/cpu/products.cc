#include "cpu/products.h"

#include <algorithm>

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

}  // namespace

CpuMatrix::CpuMatrix(int64_t outputs, int64_t inner, bool gated, bool bfloat16, int64_t panel_width)
    : PackedMatrix(outputs, inner, gated),
      bfloat16_(bfloat16),
      panel_width_(panel_width),
      floats_(bfloat16 ? 0 : PanelCells(*this, panel_width)),
      pairs_(bfloat16 ? PanelCells(*this, panel_width) : 0) {}

void CpuMatrix::Write(int64_t panel, int64_t column, const float* weights) {
  const int64_t first = panel * elements() * panel_width_ + column;
  if (!bfloat16_) {
    float* cells = floats_.data() + first;
    for (int64_t k = 0; k < inner(); ++k) cells[k * panel_width_] = weights[k];
    return;
  }
  Bfloat16Pair* cells = pairs_.data() + first;
  for (int64_t k = 0; k < inner(); k += 2) {
    const float second = k + 1 < inner() ? weights[k + 1] : 0.0f;
    cells[k / 2 * panel_width_] = {ToBfloat16(weights[k]), ToBfloat16(second)};
  }
}

Products::Products(const Kernels& kernels, const Bfloat16Kernels* bfloat16_kernels, int threads)
    : kernels_(kernels), bfloat16_kernels_(bfloat16_kernels), inputs_(static_cast<size_t>(threads)) {}

std::unique_ptr<CpuMatrix> Products::NewMatrix(int64_t outputs, int64_t inner, bool gated) {
  auto matrix = std::make_unique<CpuMatrix>(outputs, inner, gated, bfloat16_kernels_ != nullptr, kernels_.panel_width);
  const int64_t size = kRowTile * CopyStride(matrix->elements());
  if ((matrix->bfloat16() || Crowded(inner)) && size > copy_size_) {
    copy_size_ = size;
    const size_t cells = inputs_.size() * static_cast<size_t>(size);
    if (matrix->bfloat16()) {
      rounded_ = AlignedBuffer<Bfloat16Pair>(cells);
    } else {
      copies_ = AlignedBuffer<float>(cells);
    }
  }
  return matrix;
}

void Products::SetInput(const CpuMatrix& weights, const float* input, int64_t rows, int thread) {
  const int64_t inner = weights.inner();
  const int64_t stride = CopyStride(weights.elements());
  Input& taken = inputs_[static_cast<size_t>(thread)];
  taken = {input, inner, rows};
  if (weights.bfloat16()) {
    bfloat16_kernels_->round(input, inner, rows, inner, rounded_.data() + thread * copy_size_, stride);
    taken.stride = stride;
  } else if (Crowded(inner)) {
    float* copy = copies_.data() + thread * copy_size_;
    for (int64_t row = 0; row < rows; ++row) std::copy_n(input + row * inner, inner, copy + row * stride);
    taken = {copy, stride, rows};
  }
}

void Products::Run(const CpuMatrix& weights, int64_t first_panel, ProductTile<float> tile, int thread) {
  const Input& input = inputs_[static_cast<size_t>(thread)];
  if (!weights.bfloat16()) {
    tile.input = input.floats;
    tile.input_stride = input.stride;
    tile.rows = input.rows;
    tile.inner = weights.elements();
    tile.panels = weights.floats(first_panel);
    tile.far = weights.bytes() > kNearBytes;
    kernels_.product(tile);
    return;
  }
  bfloat16_kernels_->product({rounded_.data() + thread * copy_size_, input.stride, input.rows, weights.elements(),
                              weights.pairs(first_panel), tile.columns, weights.bytes() > kNearBytes, tile.bias,
                              tile.epilogue, tile.output, tile.output_stride, tile.scratch});
}

}  // namespace sfumato::cpu
