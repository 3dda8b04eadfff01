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
/// second. Weights for BF16 products hold pairs of neighbours instead: [panels, (inner + 1) / 2, panel width]; those for
/// int8 products hold quads: [panels, (inner + 3) / 4, panel width].
class CpuMatrix : public PackedMatrix {
 public:
  enum class Format {
    kFloat,
    /// For products in float of weights that are bfloat16 numbers in the file: half the memory, the same result.
    kBfloat16,
    /// For products of numbers rounded to bfloat16.
    kBfloat16Pairs,
    /// For products of whole numbers: each column divided by a 127th of its largest magnitude and rounded.
    kInt8,
  };

  CpuMatrix(int64_t outputs, int64_t inner, bool gated, Format format, int64_t panel_width);

  int64_t bytes() const override {
    return floats_.bytes() + halves_.bytes() + pairs_.bytes() + quads_.bytes() + scales_.bytes();
  }
  Format format() const { return format_; }
  /// Elements along the inner dimension.
  int64_t elements() const {
    const int64_t together = format_ == Format::kInt8 ? 4 : format_ == Format::kBfloat16Pairs ? 2 : 1;
    return (inner() + together - 1) / together;
  }
  int64_t columns_per_panel() const { return gated() ? panel_width_ / 2 : panel_width_; }
  int64_t panel_count() const { return (outputs() + columns_per_panel() - 1) / columns_per_panel(); }

  /// Stores the weights [inner] of one column of a panel. Panels may be written by several threads.
  void Write(int64_t panel, int64_t column, const float* weights);

  const float* floats(int64_t panel) const { return floats_.data() + panel * elements() * panel_width_; }
  const Bfloat16* halves(int64_t panel) const { return halves_.data() + panel * elements() * panel_width_; }
  const Bfloat16Pair* pairs(int64_t panel) const { return pairs_.data() + panel * elements() * panel_width_; }
  const WeightQuad* quads(int64_t panel) const { return quads_.data() + panel * elements() * panel_width_; }
  const float* scales(int64_t panel) const { return scales_.data() + panel * panel_width_; }

 private:
  void WriteQuads(int64_t panel, int64_t column, const float* weights);

  Format format_;
  int64_t panel_width_;
  AlignedBuffer<float> floats_;
  AlignedBuffer<Bfloat16> halves_;
  AlignedBuffer<Bfloat16Pair> pairs_;
  AlignedBuffer<WeightQuad> quads_;
  AlignedBuffer<float> scales_;  // [panels, panel width]
};

/// Kernels of products that round both operands, at most one of them; their panels are as wide as the others'.
struct RoundingKernels {
  const Bfloat16Kernels* bfloat16 = nullptr;
  const Int8Kernels* int8 = nullptr;
};

/// Products with packed weights, in F32 or by rounding kernels, for all threads of a backend.
class Products {
 public:
  Products(const Kernels& kernels, RoundingKernels rounding, int threads);

  const char* name() const;
  int64_t bytes() const { return copies_.bytes() + rounded_.bytes() + levels_.bytes() + groups_.bytes(); }

  /// Zeros, and room to copy or round its inputs. Where exact, products are not rounded whatever the kernels.
  std::unique_ptr<CpuMatrix> NewMatrix(int64_t outputs, int64_t inner, bool gated, DataType weights, bool exact);

  /// Takes the rows, at most kRowTile, that the thread multiplies from now on: rounds them for rounded products, and
  /// copies them where their stride would crowd them into a few sets of the first-level cache. Otherwise they are not
  /// copied and must stay.
  void SetInput(const CpuMatrix& weights, const float* input, int64_t rows, int thread);

  /// The thread's input times the weights from one panel on; input, elements and panels of the tile are filled in.
  void Run(const CpuMatrix& weights, int64_t first_panel, ProductTile<float> tile, int thread);

 private:
  struct Input {
    const float* floats = nullptr;
    int64_t stride = 0;
    int64_t rows = 0;
  };

  /// Makes each thread's part of the buffer that large, if it is not.
  template <class T>
  void Reserve(int64_t size, int64_t& largest, AlignedBuffer<T>& buffer) const;

  const Kernels& kernels_;
  const RoundingKernels rounding_;
  std::vector<Input> inputs_;  // [threads]
  int64_t copy_size_ = 0;      // of each thread, and so on
  int64_t rounded_size_ = 0;
  int64_t levels_size_ = 0;
  int64_t groups_size_ = 0;
  AlignedBuffer<float> copies_;          // [threads, kRowTile, stride of a copy]
  AlignedBuffer<Bfloat16Pair> rounded_;  // the same of pairs
  AlignedBuffer<uint8_t> levels_;        // the same of quads, in bytes
  AlignedBuffer<Int8Group> groups_;      // [threads, kRowTile, groups of the inner dimension]
};

}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_PRODUCTS_H_
