#ifndef SFUMATO_CUDA_PRODUCT_KERNEL_H_
#define SFUMATO_CUDA_PRODUCT_KERNEL_H_

#include <cstdint>

#include "cuda/epilogue_math.h"
#include "cuda/large_tile.h"
#include "cuda/product_tile.h"

namespace sfumato::cuda {

/// Products of ops/matmul.h, or of many groups of rows, each with weights of its own.
struct Product {
  Fragments weights;                      // without groups
  Global<const Fragments> group_weights;  // [groups]; null without groups
  Global<const int32_t> group_ends;       // [groups] one more than the group's last row
  Input input;                            // [rows, inner], or the rows of input_rows
  Global<const int32_t> input_rows;       // [rows] of the input; null where they are the same
  int64_t rows;
  Global<const float> bias;  // [outputs] or null
  Epilogue epilogue;
  Output output;                             // [rows, outputs]; floats for kAdd
  Global<const float> row_scales = nullptr;  // [rows] of inputs in E4M3, else null

  /// A sum of the row's, times the row's scale where inputs have one.
  template <class Weights>
  SFUMATO_DEVICE float Scaled(float sum, int64_t row) const {
    if constexpr (Weights::kFloat8Inputs) return sum * row_scales[row];
    return sum;
  }

  /// Calls run(weights, first row, one more than the last row of the weights' rows) for each of a block's tiles of rows. x of
  /// the tiles, or of the groups: a block then takes all tiles of its group, one after the other.
  template <class Run>
  SFUMATO_DEVICE void ForTiles(int tile_rows, const Run& run) const {
    if (group_weights.IsNull()) {
      run(weights, static_cast<int64_t>(BlockX()) * tile_rows, rows);
      return;
    }
    const int group = BlockX();
    const int64_t end = group_ends[group];
    for (int64_t first = group == 0 ? 0 : group_ends[group - 1]; first < end; first += tile_rows)
      run(group_weights[group], first, end);
  }

  SFUMATO_DEVICE int32_t InputRow(int64_t row) const {
    return input_rows.IsNull() ? static_cast<int32_t>(row) : input_rows[row];
  }

  SFUMATO_DEVICE void StoreGated(const Fragments& matrix, int64_t row, int64_t target, float gate,
                                 float partner) const {
    FinishGated(epilogue, gate, partner, output, row * matrix.outputs + target);
  }

  SFUMATO_DEVICE void Store(const Fragments& matrix, int64_t row, int64_t target, float sum) const {
    FinishSum(epilogue, sum, bias, target, output, row * matrix.outputs + target);
  }
};

/// y of the blocks of outputs.
template <int kRowTiles, int kInputTerms, class Weights, int kStripCount>
struct ProductKernel {
  static constexpr const char* kName = "product";
  static constexpr int kThreads = kProductThreads;
  using Tile = ProductTile<kRowTiles, kInputTerms, Weights, kStripCount>;
  using Shared = typename Tile::Shared;
  static constexpr int kRows = Tile::kRows;
  static constexpr int kStrips = kStripCount;  // of a block

  Product product;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    product.ForTiles(kRows, [&](const Fragments& matrix, int64_t first_row, int64_t end_row) {
      Run(shared, matrix, first_row, end_row);
    });
  }

 private:
  SFUMATO_DEVICE void Run(Shared& shared, const Fragments& matrix, int64_t first_row, int64_t end_row) const {
    int32_t rows_of_lane[kRowTiles];
    SFUMATO_UNROLL
    for (int j = 0; j < kRowTiles; ++j) {
      const int64_t row = first_row + j * 8 + Lane() / 4;
      rows_of_lane[j] = row < end_row ? product.InputRow(row) : -1;
    }
    Tile::Multiply(shared, matrix, static_cast<int64_t>(BlockY()) * kStrips, product.input, rows_of_lane);
    const int columns = matrix.gated ? Tile::kOutputs / 2 : Tile::kOutputs;
    const int count = end_row - first_row < kRows ? static_cast<int>(end_row - first_row) : kRows;
    for (int i = ThreadIndex(); i < columns * count; i += kThreads) {
      const int column = i % columns;
      const int row = i / columns;
      const int64_t target = static_cast<int64_t>(BlockY()) * columns + column;
      if (target >= matrix.outputs) continue;
      if (matrix.gated) {
        const int gate_column = column / kStripOutputs * 2 * kStripOutputs + column % kStripOutputs;
        product.StoreGated(matrix, first_row + row, target, Result(shared, gate_column, first_row, row),
                           Result(shared, gate_column + kStripOutputs, first_row, row));
      } else {
        product.Store(matrix, first_row + row, target, Result(shared, column, first_row, row));
      }
    }
  }

  SFUMATO_DEVICE float Result(Shared& shared, int column, int64_t first_row, int row) const {
    return product.Scaled<Weights>(Tile::At(shared, column, row), first_row + row);
  }
};

/// The same for many rows.
template <int kRowTiles, class Weights>
struct LargeProductKernel {
  static constexpr const char* kName = "large_product";
  static constexpr int kThreads = kProductThreads;
  using Tile = LargeTile<kRowTiles, Weights>;
  using Shared = typename Tile::Shared;
  static constexpr int kRows = Tile::kRows;
  static constexpr int kStrips = Tile::kOutputs / kStripOutputs;

  Product product;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    product.ForTiles(kRows, [&](const Fragments& matrix, int64_t first_row, int64_t end_row) {
      Run(shared, matrix, first_row, end_row);
    });
  }

 private:
  SFUMATO_DEVICE void Run(Shared& shared, const Fragments& matrix, int64_t first_row, int64_t end_row) const {
    const int count = end_row - first_row < kRows ? static_cast<int>(end_row - first_row) : kRows;
    Tile::Multiply(shared, matrix, static_cast<int64_t>(BlockY()) * kStrips, product.input, count,
                   [&](int row) { return product.InputRow(first_row + row); });
    const int64_t strip = static_cast<int64_t>(BlockY()) * kStrips + WarpIndex() * Tile::kStrips;
    SFUMATO_UNROLL_LITTLE
    for (int n = 0; n < kRowTiles * 4; ++n) {
      const int j = n / 4;
      const int i = n % 4;
      if (Tile::RowOf(j, i) >= count) continue;
      const int64_t row = first_row + Tile::RowOf(j, i);
      if (matrix.gated) {
        // A warp's two strips are gates and their partners.
        const int64_t target = strip / 2 * kStripOutputs + Tile::OutputOf(i);
        if (target < matrix.outputs)
          product.StoreGated(matrix, row, target, product.Scaled<Weights>(Tile::At(shared, 0, j, i), row),
                             product.Scaled<Weights>(Tile::At(shared, 1, j, i), row));
        continue;
      }
      for (int s = 0; s < Tile::kStrips; ++s) {
        const int64_t target = (strip + s) * kStripOutputs + Tile::OutputOf(i);
        if (target < matrix.outputs)
          product.Store(matrix, row, target, product.Scaled<Weights>(Tile::At(shared, s, j, i), row));
      }
    }
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_PRODUCT_KERNEL_H_
