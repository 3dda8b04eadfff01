#ifndef SFUMATO_CUDA_DENSE_KERNELS_H_
#define SFUMATO_CUDA_DENSE_KERNELS_H_

// What is done before and after the products of dense_products.h, which take whole tiles of rows and do nothing but multiply.

#include <cstdint>

#include "base/number_formats.h"
#include "cuda/epilogue_math.h"
#include "cuda/row_kernels.h"
#include "cuda/simt.h"

namespace sfumato::cuda {

/// Rows as bfloat16 numbers, and zeros after the last one. One block for each row of the output and part of its width.
struct TileRowsKernel {
  static constexpr const char* kName = "tile_rows";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Input input;  // [.., width]
  int64_t first;
  int64_t rows;  // from the first on
  int64_t width;
  Global<uint16_t> output;  // [blocks in x, width]

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t i = static_cast<int64_t>(BlockY()) * kThreads + ThreadIndex();
    if (i >= width) return;
    uint16_t number = 0;
    if (BlockX() < rows) {
      const int64_t place = (first + BlockX()) * width + i;
      number = input.bfloat16s.IsNull() ? static_cast<uint16_t>(PackBfloat16(input.floats[place], 0))
                                        : input.bfloat16s[place];
    }
    output[BlockX() * width + i] = number;
  }
};

/// A product's scales, bias and epilogue. One block for each row and part of the outputs.
struct FinishProductKernel {
  static constexpr const char* kName = "finish_product";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const float> sums;  // [rows, outputs], or [rows, 2, outputs] of gates and their partners
  int64_t outputs;
  bool gated;
  Global<const float> bias;  // [outputs] or null
  Epilogue epilogue;
  int64_t first;
  Output output;                      // [.., outputs], from the first row on; floats for kAdd
  Global<const float> output_scales;  // [outputs], or [2, outputs]; null for sums that have none
  Global<const float> row_scales;     // [rows]; null where the others are

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t i = static_cast<int64_t>(BlockY()) * kThreads + ThreadIndex();
    if (i >= outputs) return;
    const int64_t row = BlockX();
    const int64_t place = (first + row) * outputs + i;
    if (gated) {
      FinishGated(epilogue, Sum(row, i, 2 * outputs), Sum(row, outputs + i, 2 * outputs), output, place);
    } else {
      FinishSum(epilogue, Sum(row, i, outputs), bias, i, output, place);
    }
  }

 private:
  SFUMATO_DEVICE float Sum(int64_t row, int64_t i, int64_t width) const {
    const float sum = sums[row * width + i];
    return row_scales.IsNull() ? sum : sum * output_scales[i] * row_scales[row];
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_DENSE_KERNELS_H_
