#ifndef SFUMATO_CUDA_PRODUCT_TILE_H_
#define SFUMATO_CUDA_PRODUCT_TILE_H_

// The inner loop of all products with weights: 64 or 128 outputs times some rows, by one block.

#include <cstdint>
#include <type_traits>

#include "base/number_formats.h"
#include "cuda/simt.h"
#include "cuda/weights.h"

namespace sfumato::cuda {

constexpr int kProductThreads = kProductWarps * kWarpThreads;

/// Sums of products of bfloat16 numbers. Inputs are one term each, rounded, or three terms, exact, weights of the format
/// Weights; products of terms that together are beyond float are left out. The warps of a block share the inner dimension,
/// cut by its length alone, and their sums are added in order: so a row's result does not depend on the rows beside it.
/// Rows come in tiles of 8, and those of which there is none cost nothing.
template <int kRowTiles, int kInputTerms, class Weights, int kStrips = kBlockStrips>
class ProductTile {
 public:
  static constexpr int kRows = 8 * kRowTiles;
  static constexpr int kOutputs = kStrips * kStripOutputs;
  static constexpr bool kFewRows = kRowTiles == 2 || (kRowTiles == 4 && kInputTerms == 1);

  /// Stages of the weights' ring, of 2 KB or a little more for each strip, and of 6 KB where weights are three terms. Few rows
  /// leave the tensor cores idle, so there memory must be kept busy: with three of four stages on their way and four blocks
  /// of four strips or two of eight on a multiprocessor 96 KB are, more than twice what its latency takes at full rate. Where
  /// there are many rows, the ring fits into the place of the sums.
  static constexpr int kStages = Weights::kTerms > 1 ? 1 : kFewRows ? 4 : 2;
  using Stream = WeightStream<Weights, kStages, kStrips>;

  union Shared {
    SharedArray<float, kOutputs*(kRows + 1)> sums;
    typename Stream::Ring ring;
  };

  /// A result of a row that is there, once Multiply has returned.
  static SFUMATO_DEVICE float At(Shared& shared, int output, int row) {
    return shared.sums[output * (kRows + 1) + row];
  }
  /// Changes a result in place.
  static SFUMATO_DEVICE void Set(Shared& shared, int output, int row, float value) {
    shared.sums[output * (kRows + 1) + row] = value;
  }

  /// All threads of the block, which may have read the results before. rows: those of the input that are the lane's, which
  /// are rows i / 4, i / 4 + 8, ... of the tile; negative for none. Results are there for all threads.
  static SFUMATO_DEVICE void Multiply(Shared& shared, const Fragments& weights, int64_t first_strip, const Input& input,
                                      const int32_t (&rows)[kRowTiles]) {
    float sums[kStrips][kRowTiles][4] = {};
    // 32 bits where they are enough: the sums leave few registers.
    const int32_t loads = weights.tiles / Weights::kLoadTiles;
    const int32_t begin = loads * WarpIndex() / kProductWarps;
    const int32_t end = loads * (WarpIndex() + 1) / kProductWarps;
    const Rows read(input, weights, rows, end * Weights::kLoadTiles * kInnerTile);
    SyncBlock();
    Stream stream(shared.ring, weights, first_strip, begin, end);
    int32_t k = begin * Weights::kLoadTiles * kInnerTile + Lane() % 4 * 4;
    Numbers ahead[kRowTiles] = {};
    if constexpr (kReadsAhead) read.Load(k, 0, ahead);
    for (int32_t load = begin; load < end; ++load) {
      stream.Take();
      SFUMATO_UNROLL_LITTLE
      for (int tile = 0; tile < Weights::kLoadTiles; ++tile) {
        Numbers numbers[kRowTiles];
        if constexpr (kReadsAhead) {
          SFUMATO_UNROLL
          for (int j = 0; j < kRowTiles; ++j) numbers[j] = ahead[j];
          read.Load(k + kInnerTile, 0, ahead);
        }
        SFUMATO_UNROLL
        for (int block = 0; block < Stream::kBlocks; ++block) {
          if (!stream.Has(block)) continue;
          uint32_t left[kBlockStrips][Weights::kTerms][4];
          stream.Expand(block, tile, left);
          SFUMATO_UNROLL
          for (int j = 0; j < kRowTiles; ++j) {
            if (j >= read.row_tiles()) continue;
            if constexpr (kReadsAhead) {
              MultiplyRows(left, numbers[j], block, j, sums);
            } else {
              Numbers own[1];
              read.Load(k, j, own);
              MultiplyRows(left, own[0], block, j, sums);
            }
          }
        }
        k += kInnerTile;
      }
    }
    stream.Finish();
    Reduce(shared, weights, first_strip, read.row_tiles(), sums);
  }

 private:
  static constexpr int kOrders = kInputTerms > Weights::kTerms ? kInputTerms : Weights::kTerms;
  /// Whether a tile's numbers are read while the one before is multiplied; for more rows there are no registers.
  static constexpr bool kReadsAhead = kRowTiles <= 4;

  /// Four neighbours of a row: as floats, or as two words of bfloat16 numbers, or of pairs of E4M3 numbers, where they are rounded.
  using Numbers = std::conditional_t<kInputTerms == 1, Word2, Float4>;

  /// The lane's rows of the input.
  class Rows {
   public:
    /// end: where the warp's part of the inner dimension does, which reading ahead would go beyond.
    SFUMATO_DEVICE Rows(const Input& input, const Fragments& weights, const int32_t (&rows)[kRowTiles], int32_t end)
        : input_(input),
          rows_(rows),
          inner_(static_cast<int32_t>(weights.inner)),
          end_(kReadsAhead && end < inner_ ? end : inner_),
          aligned_(inner_ % 4 == 0),
          rounded_(input.floats.IsNull()) {
      SFUMATO_UNROLL
      for (int j = 0; j < kRowTiles; ++j) {
        if (Ballot(rows[j] >= 0) != 0) row_tiles_ = j + 1;
      }
    }

    /// Tiles of 8 rows up to the last in which any lane has one.
    SFUMATO_DEVICE int row_tiles() const { return row_tiles_; }

    /// Four numbers from k on of each of so many rows, zeros where they have none.
    template <int kCount>
    SFUMATO_DEVICE void Load(int32_t k, int first, Numbers (&numbers)[kCount]) const {
      // Loads without branches between them, all on their way at once.
      if (aligned_ && rounded_) {
        SFUMATO_UNROLL
        for (int j = 0; j < kCount; ++j) {
          Word2 words = {0, 0};
          if (k < end_ && rows_[first + j] >= 0) words = Load4(input_.bfloat16s, Start(first + j) + k);
          numbers[j] = FromWords(words);
        }
      } else if (aligned_) {
        SFUMATO_UNROLL
        for (int j = 0; j < kCount; ++j) {
          Float4 four = {0, 0, 0, 0};
          if (k < end_ && rows_[first + j] >= 0) four = Load4(input_.floats, Start(first + j) + k);
          numbers[j] = FromFloats(four);
        }
      } else {
        SFUMATO_UNROLL
        for (int j = 0; j < kCount; ++j) {
          const int row = first + j;
          numbers[j] = FromFloats({Number(row, k), Number(row, k + 1), Number(row, k + 2), Number(row, k + 3)});
        }
      }
    }

   private:
    SFUMATO_DEVICE int64_t Start(int j) const { return static_cast<int64_t>(rows_[j]) * inner_; }
    SFUMATO_DEVICE float Number(int j, int32_t k) const {
      if (rows_[j] < 0 || k >= end_) return 0;
      return rounded_ ? FromBfloat16(input_.bfloat16s[Start(j) + k]) : input_.floats[Start(j) + k];
    }

    static SFUMATO_DEVICE Numbers FromWords(const Word2& words) {
      if constexpr (kInputTerms == 1) {
        return words;
      } else {
        return {BitCast<float>(words.x << 16), BitCast<float>(words.x & 0xFFFF0000), BitCast<float>(words.y << 16),
                BitCast<float>(words.y & 0xFFFF0000)};
      }
    }
    static SFUMATO_DEVICE Numbers FromFloats(const Float4& four) {
      if constexpr (kInputTerms == 1) {
        return {PackBfloat16(four.x, four.y), PackBfloat16(four.z, four.w)};
      } else {
        return four;
      }
    }

    const Input& input_;
    const int32_t (&rows_)[kRowTiles];
    const int32_t inner_;
    const int32_t end_;
    const bool aligned_;
    const bool rounded_;
    int row_tiles_ = 0;
  };

  static SFUMATO_DEVICE void MultiplyRows(const uint32_t (&left)[kBlockStrips][Weights::kTerms][4],
                                          const Numbers& numbers, int block, int j,
                                          float (&sums)[kStrips][kRowTiles][4]) {
    uint32_t low[kInputTerms];
    uint32_t high[kInputTerms];
    if constexpr (kInputTerms == 1) {
      low[0] = numbers.x;
      high[0] = numbers.y;
    } else {
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
        for (int s = 0; s < kBlockStrips; ++s)
          MultiplyFragments<Weights>(sums[block * kBlockStrips + s][j], left[s][term], right);
      }
    }
  }

  static SFUMATO_DEVICE void Reduce(Shared& shared, const Fragments& weights, int64_t first_strip, int row_tiles,
                                    const float (&sums)[kStrips][kRowTiles][4]) {
    SyncBlock();
    for (int warp = 0; warp < kProductWarps; ++warp) {
      if (WarpIndex() == warp) {
        SFUMATO_UNROLL
        for (int s = 0; s < kStrips; ++s) {
          if (kStrips > kBlockStrips && first_strip + s >= weights.strips) continue;
          SFUMATO_UNROLL
          for (int j = 0; j < kRowTiles; ++j) {
            if (j >= row_tiles) continue;
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
