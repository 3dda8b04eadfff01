#ifndef SFUMATO_CPU_PRODUCTS_H_
#define SFUMATO_CPU_PRODUCTS_H_

#include <memory>
#include <vector>

#include "base/aligned_buffer.h"
#include "cpu/kernels.h"
#include "io/safetensors.h"
#include "ops/matmul.h"

namespace sfumato::cpu {

/// Rows of a tile whose input stays in the second-level cache.
constexpr int64_t kRowTile = 128;

/// Weights in panels [panels, inner, panel width]: a panel's columns lie side by side, so that one load yields the
/// factors of neighbouring outputs. Gated weights hold gates in the panel's first half and their partners in the
/// second. Weights for BF16 products hold pairs of neighbours instead: [panels, (inner + 1) / 2, panel width].
class CpuMatrix : public PackedMatrix {
 public:
  enum class Format {
    kFloat,
    /// For products in float of weights that are bfloat16 numbers in the file: half the memory, the same result.
    kBfloat16,
    /// For products of numbers rounded to bfloat16.
    kBfloat16Pairs,
  };

  CpuMatrix(int64_t outputs, int64_t inner, bool gated, Format format, int64_t panel_width);

  int64_t bytes() const override { return floats_.bytes() + halves_.bytes() + pairs_.bytes(); }
  Format format() const { return format_; }
  /// Elements along the inner dimension.
  int64_t elements() const { return format_ == Format::kBfloat16Pairs ? (inner() + 1) / 2 : inner(); }
  int64_t columns_per_panel() const { return gated() ? panel_width_ / 2 : panel_width_; }
  int64_t panel_count() const { return (outputs() + columns_per_panel() - 1) / columns_per_panel(); }

  /// Stores the weights [inner] of one column of a panel.
  void Write(int64_t panel, int64_t column, const float* weights);

  const float* floats(int64_t panel) const { return floats_.data() + panel * elements() * panel_width_; }
  const Bfloat16* halves(int64_t panel) const { return halves_.data() + panel * elements() * panel_width_; }
  const Bfloat16Pair* pairs(int64_t panel) const { return pairs_.data() + panel * elements() * panel_width_; }

 private:
  Format format_;
  int64_t panel_width_;
  AlignedBuffer<float> floats_;
  AlignedBuffer<Bfloat16> halves_;
  AlignedBuffer<Bfloat16Pair> pairs_;
};

/// Products with packed weights of one kind, F32 or BF16, for all threads of a backend.
class Products {
 public:
  /// BF16 products where their kernels are given, whose panels are as wide as the others'.
  Products(const Kernels& kernels, const Bfloat16Kernels* bfloat16_kernels, int threads);

  const char* name() const { return bfloat16_kernels_ == nullptr ? "f32 packed panels" : bfloat16_kernels_->name; }
  bool rounds_to_bfloat16() const { return bfloat16_kernels_ != nullptr; }
  int64_t bytes() const { return copies_.bytes() + rounded_.bytes(); }

  /// Zeros, and room to copy or round its inputs.
  std::unique_ptr<CpuMatrix> NewMatrix(int64_t outputs, int64_t inner, bool gated, DataType weights);

  /// Takes the rows, at most kRowTile, that the thread multiplies from now on: rounds them for BF16 products, and copies
  /// them where their stride would crowd them into a few sets of the first-level cache. Otherwise they are not copied
  /// and must stay.
  void SetInput(const CpuMatrix& weights, const float* input, int64_t rows, int thread);

  /// The thread's input times the weights from one panel on; input, elements and panels of the tile are filled in.
  void Run(const CpuMatrix& weights, int64_t first_panel, ProductTile<float> tile, int thread);

 private:
  struct Input {
    const float* floats = nullptr;
    int64_t stride = 0;
    int64_t rows = 0;
  };

  const Kernels& kernels_;
  const Bfloat16Kernels* bfloat16_kernels_;
  std::vector<Input> inputs_;  // [threads]
  int64_t copy_size_ = 0;
  AlignedBuffer<float> copies_;          // [threads, kRowTile, stride of a copy]
  AlignedBuffer<Bfloat16Pair> rounded_;  // the same of pairs
};

}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_PRODUCTS_H_
