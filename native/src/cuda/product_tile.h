#ifndef SFUMATO_CUDA_PRODUCT_TILE_H_
#define SFUMATO_CUDA_PRODUCT_TILE_H_

// The inner loop of all products with weights: 64 outputs times some rows, by one block.

#include <cstdint>

#include "base/number_formats.h"
#include "cuda/simt.h"
#include "cuda/weights.h"

namespace sfumato::cuda {

constexpr int kProductThreads = kProductWarps * kWarpThreads;

/// Sums of products of bfloat16 numbers. Inputs are one term each, rounded, or three terms, exact, weights of the format
/// Weights; products of terms that together are beyond float are left out. The warps of a block share the inner dimension,
/// cut by its length alone, and their sums are added in order: so a row's result does not depend on the rows beside it.
template <int kRowTiles, int kInputTerms, class Weights>
class ProductTile {
 public:
  static constexpr int kRows = 8 * kRowTiles;
  static constexpr bool kFewRows = kRowTiles == 2 || (kRowTiles == 4 && kInputTerms == 1);

  /// Stages of the weights' ring, of 8 KB each or a little more, and of 24 KB where weights are three terms. Few rows leave
  /// the tensor cores idle, so there memory must be kept busy: with three of four stages on their way and four blocks on
  /// a multiprocessor 96 KB are, more than twice what its latency takes at full rate. Where there are many rows, the ring
  /// fits into the place of the sums.
  static constexpr int kStages = Weights::kTerms > 1 ? 1 : kFewRows ? 4 : 2;
  using Stream = WeightStream<Weights, kStages>;

  union Shared {
    SharedArray<float, kBlockOutputs*(kRows + 1)> sums;
    typename Stream::Ring ring;
  };

  /// A result, once Multiply has returned.
  static SFUMATO_DEVICE float At(Shared& shared, int output, int row) {
    return shared.sums[output * (kRows + 1) + row];
  }
  /// Changes a result in place.
  static SFUMATO_DEVICE void Set(Shared& shared, int output, int row, float value) {
    shared.sums[output * (kRows + 1) + row] = value;
  }

  /// All threads of the block, which may have read the results before. rows: those of the input that are the lane's, which
  /// are rows i / 4, i / 4 + 8, ... of the tile; negative for none, whose products are zero. Results are there for all threads.
  static SFUMATO_DEVICE void Multiply(Shared& shared, const Fragments& weights, int64_t first_strip, const Input& input,
                                      const int32_t (&rows)[kRowTiles]) {
    float sums[kBlockStrips][kRowTiles][4] = {};
    // 32 bits where they are enough: the sums leave few registers.
    const int32_t loads = weights.tiles / Weights::kLoadTiles;
    const auto inner = static_cast<int32_t>(weights.inner);
    const int32_t begin = loads * WarpIndex() / kProductWarps;
    const int32_t end = loads * (WarpIndex() + 1) / kProductWarps;
    const bool aligned = inner % 4 == 0;
    SyncBlock();
    Stream stream(shared.ring, weights, first_strip, begin, end);
    for (int32_t load = begin; load < end; ++load) {
      stream.Take();
      SFUMATO_UNROLL_LITTLE
      for (int tile = 0; tile < Weights::kLoadTiles; ++tile) {
        uint32_t left[kBlockStrips][Weights::kTerms][4];
        stream.Expand(tile, left);
        const int32_t k = (load * Weights::kLoadTiles + tile) * kInnerTile + Lane() % 4 * 4;
        SFUMATO_UNROLL
        for (int j = 0; j < kRowTiles; ++j) {
          uint32_t low[kInputTerms];
          uint32_t high[kInputTerms];
          if constexpr (Weights::kFloat8Inputs) {
            const Word2 pairs = LoadPairs(input, rows[j], k, inner);
            low[0] = pairs.x;
            high[0] = pairs.y;
          } else {
            const Float4 numbers = LoadRow(input, rows[j], k, inner, aligned);
            SplitBfloat16(numbers.x, numbers.y, low);
            SplitBfloat16(numbers.z, numbers.w, high);
          }
          SFUMATO_UNROLL
          for (int order = kOrders - 1; order >= 0; --order) {
            SFUMATO_UNROLL
            for (int term = 0; term < Weights::kTerms; ++term) {
              if (order - term < 0 || order - term >= kInputTerms) continue;
              const uint32_t right[2] = {low[order - term], high[order - term]};
              SFUMATO_UNROLL
              for (int s = 0; s < kBlockStrips; ++s) MultiplyFragments<Weights>(sums[s][j], left[s][term], right);
            }
          }
        }
      }
    }
    stream.Finish();
    Reduce(shared, weights, first_strip, sums);
  }

 private:
  static constexpr int kOrders = kInputTerms > Weights::kTerms ? kInputTerms : Weights::kTerms;

  /// Four numbers of a row, zeros where it has none.
  static SFUMATO_DEVICE Float4 LoadRow(const Input& input, int32_t row, int32_t k, int32_t inner, bool aligned) {
    if (row < 0) return {0, 0, 0, 0};
    const int64_t start = static_cast<int64_t>(row) * inner;
    const bool whole = aligned && k + 4 <= inner;
    if (whole && input.bfloat16s.IsNull()) return Load4(input.floats, start + k);
    if (whole) {
      const Word2 words = Load4(input.bfloat16s, start + k);
      return {BitCast<float>(words.x << 16), BitCast<float>(words.x & 0xFFFF0000), BitCast<float>(words.y << 16),
              BitCast<float>(words.y & 0xFFFF0000)};
    }
    const auto number = [&](int32_t i) {
      if (i >= inner) return 0.0f;
      return input.bfloat16s.IsNull() ? input.floats[start + i] : FromBfloat16(input.bfloat16s[start + i]);
    };
    return {number(k), number(k + 1), number(k + 2), number(k + 3)};
  }

  /// Four pairs of a row, which has whole tiles of them.
  static SFUMATO_DEVICE Word2 LoadPairs(const Input& input, int32_t row, int32_t k, int32_t inner) {
    if (row < 0) return {0, 0};
    return Load4(input.bfloat16s, static_cast<int64_t>(row) * inner + k);
  }

  static SFUMATO_DEVICE void Reduce(Shared& shared, const Fragments& weights, int64_t first_strip,
                                    const float (&sums)[kBlockStrips][kRowTiles][4]) {
    SyncBlock();
    for (int warp = 0; warp < kProductWarps; ++warp) {
      if (WarpIndex() == warp) {
        SFUMATO_UNROLL
        for (int s = 0; s < kBlockStrips; ++s) {
          SFUMATO_UNROLL
          for (int j = 0; j < kRowTiles; ++j) {
            SFUMATO_UNROLL
            for (int i = 0; i < 4; ++i) {
              const int output = s * kStripOutputs + Lane() / 4 + i / 2 * 8;
              const int place = output * (kRows + 1) + j * 8 + Lane() % 4 * 2 + i % 2;
              float sum = sums[s][j][i];
              if (warp > 0) sum = shared.sums[place] + sum;
              if constexpr (Weights::kOutputScales) {
                if (warp == kProductWarps - 1) sum *= weights.scales[first_strip * kStripOutputs + output];
              }
              shared.sums[place] = sum;
            }
          }
        }
      }
      SyncBlock();
    }
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_PRODUCT_TILE_H_
