#ifndef SFUMATO_CUDA_PRODUCT_KERNEL_H_
#define SFUMATO_CUDA_PRODUCT_KERNEL_H_

#include <cstdint>

#include "cuda/product_tile.h"
#include "ops/epilogue.h"

namespace sfumato::cuda {

SFUMATO_DEVICE float Silu(float x) { return x / (1.0f + expf(-x)); }
SFUMATO_DEVICE float Gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f)); }
SFUMATO_DEVICE float GeluTanh(float x) {
  return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
}

/// Products of ops/matmul.h, x of the tiles of rows, y of the blocks of outputs; or of many groups of rows, each with
/// weights of its own, x of the groups: a block then takes all tiles of its group, one after the other.
template <int kRowTiles, int kInputTerms, class Weights>
struct ProductKernel {
  static constexpr const char* kName = "product";
  static constexpr int kThreads = kProductThreads;
  using Tile = ProductTile<kRowTiles, kInputTerms, Weights>;
  using Shared = typename Tile::Shared;

  Fragments weights;                      // without groups
  Global<const Fragments> group_weights;  // [groups]; null without groups
  Global<const int32_t> group_ends;       // [groups] one more than the group's last row
  Input input;                            // [rows, inner]
  int64_t rows;
  Global<const float> bias;  // [outputs] or null
  Epilogue epilogue;
  Output output;  // [rows, outputs]; floats for kAdd

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    if (group_weights.IsNull()) {
      const int64_t first = static_cast<int64_t>(BlockX()) * Tile::kRows;
      Run(shared, weights, first, rows);
      return;
    }
    const int group = BlockX();
    const int64_t end = group_ends[group];
    for (int64_t first = group == 0 ? 0 : group_ends[group - 1]; first < end; first += Tile::kRows)
      Run(shared, group_weights[group], first, end);
  }

 private:
  SFUMATO_DEVICE void Run(Shared& shared, const Fragments& matrix, int64_t first_row, int64_t end_row) const {
    int32_t rows_of_lane[kRowTiles];
    SFUMATO_UNROLL
    for (int j = 0; j < kRowTiles; ++j) {
      const int64_t row = first_row + j * 8 + Lane() / 4;
      rows_of_lane[j] = row < end_row ? static_cast<int32_t>(row) : -1;
    }
    Tile::Multiply(shared, matrix, static_cast<int64_t>(BlockY()) * kBlockStrips, input, rows_of_lane);
    const int columns = matrix.gated ? kBlockOutputs / 2 : kBlockOutputs;
    for (int i = ThreadIndex(); i < columns * Tile::kRows; i += kThreads) {
      const int column = i % columns;
      const int row = i / columns;
      const int64_t target = static_cast<int64_t>(BlockY()) * columns + column;
      if (first_row + row >= end_row || target >= matrix.outputs) continue;
      Store(shared, matrix, column, row, target, (first_row + row) * matrix.outputs + target);
    }
  }

  SFUMATO_DEVICE void Store(Shared& shared, const Fragments& matrix, int column, int row, int64_t target,
                            int64_t place) const {
    if (matrix.gated) {
      const int gate_column = column / kStripOutputs * 2 * kStripOutputs + column % kStripOutputs;
      const float gate = Tile::At(shared, gate_column, row);
      const float partner = Tile::At(shared, gate_column + kStripOutputs, row);
      if (epilogue == Epilogue::kGatedSilu) {
        output.Store(place, Silu(gate) * partner);
      } else {
        output.Store(place, (epilogue == Epilogue::kGatedGelu ? Gelu(gate) : GeluTanh(gate)) * partner);
      }
      return;
    }
    float sum = Tile::At(shared, column, row);
    if (!bias.IsNull()) sum += bias[target];
    if (epilogue == Epilogue::kGelu) sum = Gelu(sum);
    output.Store(place, epilogue == Epilogue::kAdd ? output.floats[place] + sum : sum);
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_PRODUCT_KERNEL_H_
