#ifndef SFUMATO_CUDA_QUANTISE_KERNEL_H_
#define SFUMATO_CUDA_QUANTISE_KERNEL_H_

#include <cstdint>

#include "base/number_formats.h"
#include "cuda/row_kernels.h"
#include "cuda/simt.h"

namespace sfumato::cuda {

/// Rows in E4M3, each divided by the least power of two that takes its largest magnitude to 448 or less, and that as its scale; a
/// row's magnitudes below 2^-100 are zeros, and so is what fills the width up and rows after the last one. The scale of a row
/// with a number that is not finite is NaN. One block for each row of the output.
struct QuantiseRowsKernel {
  static constexpr const char* kName = "quantise_rows";
  static constexpr int kThreads = kRowThreads;
  struct Shared {
    SharedArray<uint32_t, kThreads / kWarpThreads> largest;
  };

  Input input;  // [.., width]
  int64_t first;
  int64_t rows;  // from the first on
  int64_t width;
  int64_t words;            // of an output row, four numbers each
  Global<uint32_t> output;  // [blocks, words]
  Global<float> scales;     // [blocks]

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t row = BlockX();
    uint32_t largest = 0;
    for (int64_t word = ThreadIndex(); word < words; word += kThreads) {
      const Float4 numbers = Load(row, word * 4);
      largest = Larger(largest, Larger(Larger(Magnitude(numbers.x), Magnitude(numbers.y)),
                                       Larger(Magnitude(numbers.z), Magnitude(numbers.w))));
    }
    largest = BlockLargest(shared, largest);
    const float scale = ScaleOf(largest);
    const float inverse = scale > 0 ? 1.0f / scale : 0.0f;
    for (int64_t word = ThreadIndex(); word < words; word += kThreads) {
      const Float4 numbers = Load(row, word * 4);
      output[row * words + word] = scale > 0 ? Round(numbers.x * inverse) | Round(numbers.y * inverse) << 8 |
                                                   Round(numbers.z * inverse) << 16 | Round(numbers.w * inverse) << 24
                                             : 0;
    }
    if (ThreadIndex() == 0) scales[row] = scale;
  }

 private:
  static SFUMATO_DEVICE uint32_t Larger(uint32_t a, uint32_t b) { return a > b ? a : b; }
  /// The bits of a magnitude, which are in the order of magnitudes, with those that are not finite last.
  static SFUMATO_DEVICE uint32_t Magnitude(float number) { return BitCast<uint32_t>(number) & 0x7FFFFFFF; }
  static SFUMATO_DEVICE uint32_t Round(float number) { return ToFloat8(number); }

  static SFUMATO_DEVICE float ScaleOf(uint32_t largest) {
    if (largest >= 0x7F800000) return BitCast<float>(0x7FC00000u);
    const auto magnitude = BitCast<float>(largest);
    return magnitude < 0x1p-100f ? 0.0f : Float8ScaleOf(magnitude);
  }

  static SFUMATO_DEVICE uint32_t BlockLargest(Shared& shared, uint32_t largest) {
    for (int mask = kWarpThreads / 2; mask > 0; mask /= 2) largest = Larger(largest, ShuffleXor(largest, mask));
    if (Lane() == 0) shared.largest[WarpIndex()] = largest;
    SyncBlock();
    for (int warp = 0; warp < kThreads / kWarpThreads; ++warp) largest = Larger(largest, shared.largest[warp]);
    return largest;
  }

  /// Four numbers of a row, zeros where it has none.
  SFUMATO_DEVICE Float4 Load(int64_t row, int64_t k) const {
    if (row >= rows) return {0, 0, 0, 0};
    const int64_t start = (first + row) * width;
    if (width % 4 == 0 && k < width) {
      if (input.bfloat16s.IsNull()) return Load4(input.floats, start + k);
      const Word2 pairs = Load4(input.bfloat16s, start + k);
      return {BitCast<float>(pairs.x << 16), BitCast<float>(pairs.x & 0xFFFF0000), BitCast<float>(pairs.y << 16),
              BitCast<float>(pairs.y & 0xFFFF0000)};
    }
    const auto number = [&](int64_t i) {
      if (i >= width) return 0.0f;
      return input.bfloat16s.IsNull() ? input.floats[start + i] : FromBfloat16(input.bfloat16s[start + i]);
    };
    return {number(k), number(k + 1), number(k + 2), number(k + 3)};
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_QUANTISE_KERNEL_H_
