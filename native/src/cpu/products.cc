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

CpuMatrix::CpuMatrix(int64_t outputs, int64_t inner, bool gated, Format format, int64_t panel_width)
    : PackedMatrix(outputs, inner, gated),
      format_(format),
      panel_width_(panel_width),
      floats_(format == Format::kFloat ? PanelCells(*this, panel_width) : 0),
      halves_(format == Format::kBfloat16 ? PanelCells(*this, panel_width) : 0),
      pairs_(format == Format::kBfloat16Pairs ? PanelCells(*this, panel_width) : 0) {}

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
  Bfloat16Pair* cells = pairs_.data() + first;
  for (int64_t k = 0; k < inner(); k += 2) {
    const float second = k + 1 < inner() ? weights[k + 1] : 0.0f;
    cells[k / 2 * panel_width_] = {ToBfloat16(weights[k]), ToBfloat16(second)};
  }
}

Products::Products(const Kernels& kernels, const Bfloat16Kernels* bfloat16_kernels, int threads)
    : kernels_(kernels), bfloat16_kernels_(bfloat16_kernels), inputs_(static_cast<size_t>(threads)) {}

std::unique_ptr<CpuMatrix> Products::NewMatrix(int64_t outputs, int64_t inner, bool gated, DataType weights) {
  CpuMatrix::Format format = weights == DataType::kBfloat16 ? CpuMatrix::Format::kBfloat16 : CpuMatrix::Format::kFloat;
  if (bfloat16_kernels_ != nullptr) format = CpuMatrix::Format::kBfloat16Pairs;
  auto matrix = std::make_unique<CpuMatrix>(outputs, inner, gated, format, kernels_.panel_width);
  const int64_t size = kRowTile * CopyStride(matrix->elements());
  const bool pairs = format == CpuMatrix::Format::kBfloat16Pairs;
  if ((pairs || Crowded(inner)) && size > copy_size_) {
    copy_size_ = size;
    const size_t cells = inputs_.size() * static_cast<size_t>(size);
    if (pairs) {
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
  if (weights.format() == CpuMatrix::Format::kBfloat16Pairs) {
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
  bfloat16_kernels_->product({rounded_.data() + thread * copy_size_, input.stride, input.rows, weights.elements(),
                              weights.pairs(first_panel), tile.columns, far, tile.bias, tile.epilogue, tile.output,
                              tile.output_stride, tile.scratch});
}

}  // namespace sfumato::cpu
