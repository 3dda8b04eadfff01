#include "cpu/products.h"

#include "base/number_formats.h"

namespace sfumato::cpu {
namespace {

size_t PanelCells(const CpuMatrix& matrix, int64_t panel_width) {
  return static_cast<size_t>(matrix.panel_count() * matrix.elements() * panel_width);
}

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
    : kernels_(kernels), bfloat16_kernels_(bfloat16_kernels), threads_(threads) {}

std::unique_ptr<CpuMatrix> Products::NewMatrix(int64_t outputs, int64_t inner, bool gated) {
  auto matrix = std::make_unique<CpuMatrix>(outputs, inner, gated, bfloat16_kernels_ != nullptr, kernels_.panel_width);
  const int64_t stride = kRowTile * matrix->elements();
  if (matrix->bfloat16() && stride > rounded_stride_) {
    rounded_stride_ = stride;
    rounded_ = AlignedBuffer<Bfloat16Pair>(static_cast<size_t>(threads_ * stride));
  }
  return matrix;
}

void Products::Run(const CpuMatrix& weights, int64_t first_panel, ProductTile<float> tile, int thread) {
  if (!weights.bfloat16()) {
    tile.inner = weights.elements();
    tile.panels = weights.floats(first_panel);
    kernels_.product(tile);
    return;
  }
  Bfloat16Pair* rounded = rounded_.data() + thread * rounded_stride_;
  bfloat16_kernels_->round(tile.input, tile.input_stride, tile.rows, weights.inner(), rounded);
  bfloat16_kernels_->product({rounded, weights.elements(), tile.rows, weights.elements(), weights.pairs(first_panel),
                              tile.columns, tile.bias, tile.epilogue, tile.output, tile.output_stride, tile.scratch});
}

}  // namespace sfumato::cpu
