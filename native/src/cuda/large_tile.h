#ifndef SFUMATO_CUDA_LARGE_TILE_H_
#define SFUMATO_CUDA_LARGE_TILE_H_

// The inner loop of products with many rounded rows: 128 outputs times 64 or 128 rows, by one block.

#include <cstdint>

#include "base/number_formats.h"
#include "cuda/product_tile.h"

namespace sfumato::cuda {

/// The results of ProductTile with one term of the input, bit for bit: the inner dimension is cut into the same parts, which
/// one warp goes through one after the other, and the parts' sums are added in the same order. A warp has strips of its own and
/// takes all rows, which come through shared memory, a chunk of the inner dimension at a time, some chunks ahead; weights
/// come from memory as they are, each once for a block. What a thread has summed over the parts that are done waits in shared
/// memory.
template <int kRowTiles, class Weights>
class LargeTile {
 public:
  static constexpr int kStrips = 2;  // of a warp
  static constexpr int kOutputs = kProductWarps * kStrips * kStripOutputs;
  static constexpr int kRows = 8 * kRowTiles;
  static constexpr int kChunkTiles = Weights::kLoadTiles > 2 ? Weights::kLoadTiles : 2;
  static constexpr int kStages = kChunkTiles > 2 ? 2 : 3;

  struct Shared {
    SharedArray<int32_t, kRows> rows;  // the tile's rows in the input; negative for none
    SharedArray<uint32_t, kStages * kRows * kChunkTiles * 8> numbers;  // [stages, rows, pairs of a chunk], see Word
    SharedArray<float, kOutputs * kRows> sums;                         // [numbers of a thread, threads]
  };

  /// A thread's results: of strip s of its warp and row tile j, number i is of output lane / 4 + i / 2 * 8 of the strip and
  /// row lane % 4 * 2 + i % 2 of the tile.
  using Sums = float[kStrips][kRowTiles][4];
  static SFUMATO_DEVICE int OutputOf(int i) { return Lane() / 4 + i / 2 * 8; }
  static SFUMATO_DEVICE int RowOf(int j, int i) { return j * 8 + Lane() % 4 * 2 + i % 2; }

  /// All threads of the block. strip: the block's first one; those beyond the weights' last have no results. count: rows of
  /// the tile, of which row_of(i) says where the input has them, negative for nowhere.
  template <class Rows>
  static SFUMATO_DEVICE void Multiply(Shared& shared, const Fragments& weights, int64_t strip, const Input& input,
                                      int count, const Rows& row_of, Sums& sums) {
    static_assert(Weights::kTerms == 1);
    SyncBlock();  // all have done with the rows before
    for (int i = ThreadIndex(); i < kRows; i += kProductThreads) shared.rows[i] = i < count ? row_of(i) : -1;
    SyncBlock();
    strip += WarpIndex() * kStrips;
    const bool there = strip < weights.strips;  // for both strips, since their number is even
    Chunks ahead(weights);
    SFUMATO_UNROLL
    for (int stage = 0; stage < kStages - 1; ++stage) CopyRows(shared, weights, input, stage, ahead);
    Chunks chunk(weights);
    Next next;
    if (there) next.Load(weights, strip, chunk);
    int part = 0;
    int stage = 0;
    Clear(sums);
    while (!chunk.Done()) {
      WaitForCopies<kStages - 2>();
      SyncBlock();
      CopyRows(shared, weights, input, stage == 0 ? kStages - 1 : stage - 1, ahead);
      for (; part < chunk.part(); ++part) Put(shared, part, sums);
      const Next taken = next;
      const Chunks now = chunk;
      chunk.Advance();
      if (there) {
        next.Load(weights, strip, chunk);
        SFUMATO_UNROLL
        for (int tile = 0; tile < kChunkTiles; ++tile) {
          if (tile < now.tiles()) MultiplyTile(shared, taken, stage, tile, count, sums);
        }
      }
      stage = stage == kStages - 1 ? 0 : stage + 1;
    }
    for (; part < kProductWarps - 1; ++part) Put(shared, part, sums);
    WaitForCopies<0>();
    SFUMATO_UNROLL
    for (int n = 0; n < kStrips * kRowTiles * 4; ++n) At(sums, n) = shared.sums[Place(n)] + At(sums, n);
  }

 private:
  static constexpr int kRowWords = kChunkTiles * 8;
  static constexpr int kPieces = kRowWords / 4;  // of 16 bytes
  static constexpr int kChunkLoads = kChunkTiles / Weights::kLoadTiles;

  /// The chunks of the inner dimension one after the other; none lies in two parts.
  class Chunks {
   public:
    explicit SFUMATO_DEVICE Chunks(const Fragments& weights) : loads_(weights.tiles / Weights::kLoadTiles) { Skip(); }

    SFUMATO_DEVICE bool Done() const { return part_ == kProductWarps; }
    SFUMATO_DEVICE int part() const { return part_; }
    SFUMATO_DEVICE int64_t tile() const { return load_ * Weights::kLoadTiles; }
    SFUMATO_DEVICE int64_t load() const { return load_; }
    SFUMATO_DEVICE int loads() const {
      return end_ - load_ < kChunkLoads ? static_cast<int>(end_ - load_) : kChunkLoads;
    }
    SFUMATO_DEVICE int tiles() const { return loads() * Weights::kLoadTiles; }
    SFUMATO_DEVICE void Advance() {
      load_ += kChunkLoads;
      Skip();
    }

   private:
    /// Over the ends of parts, and parts without anything.
    SFUMATO_DEVICE void Skip() {
      while (load_ >= end_ && part_ < kProductWarps) {
        ++part_;
        load_ = end_;
        end_ = loads_ * (part_ + 1) / kProductWarps;
      }
    }

    int64_t loads_;
    int part_ = -1;
    int64_t load_ = 0;
    int64_t end_ = 0;
  };

  /// A warp's weights of a chunk.
  struct Next {
    typename Weights::Loaded loads[kStrips][kChunkLoads];

    SFUMATO_DEVICE void Load(const Fragments& weights, int64_t strip, const Chunks& chunk) {
      if (chunk.Done()) return;
      SFUMATO_UNROLL
      for (int load = 0; load < kChunkLoads; ++load) {
        if (load >= chunk.loads()) continue;
        SFUMATO_UNROLL
        for (int s = 0; s < kStrips; ++s) loads[s][load] = Weights::Load(weights, strip + s, chunk.load() + load);
      }
    }
  };

  static SFUMATO_DEVICE float& At(Sums& sums, int n) { return sums[n / 4 / kRowTiles][n / 4 % kRowTiles][n % 4]; }
  static SFUMATO_DEVICE int Place(int n) { return n * kProductThreads + ThreadIndex(); }

  static SFUMATO_DEVICE void Clear(Sums& sums) {
    SFUMATO_UNROLL
    for (int n = 0; n < kStrips * kRowTiles * 4; ++n) At(sums, n) = 0;
  }

  /// Adds a part's sums to those of the parts before it, and begins anew.
  static SFUMATO_DEVICE void Put(Shared& shared, int part, Sums& sums) {
    SFUMATO_UNROLL
    for (int n = 0; n < kStrips * kRowTiles * 4; ++n) {
      if (part == 0) {
        shared.sums[Place(n)] = At(sums, n);
      } else {
        shared.sums[Place(n)] += At(sums, n);
      }
    }
    Clear(sums);
  }

  /// The word of a row's pair. Pieces of 16 bytes change places by the row, so that the lanes of a fragment meet different
  /// banks.
  static SFUMATO_DEVICE int Word(int stage, int row, int piece, int word) {
    constexpr int kRowsOfBanks = 32 / kRowWords;
    const int turned = piece ^ row / kRowsOfBanks % (kPieces / 2) * 2;
    return (stage * kRows + row) * kRowWords + turned * 4 + word;
  }

  /// Starts to copy a chunk's numbers of all rows, and goes on to the next chunk. Zeros where there is no row or number.
  static SFUMATO_DEVICE void CopyRows(Shared& shared, const Fragments& weights, const Input& input, int stage,
                                      Chunks& chunk) {
    if (!chunk.Done()) {
      const bool aligned = weights.inner % 8 == 0 && input.floats.IsNull();
      for (int i = ThreadIndex(); i < kRows * kPieces; i += kProductThreads) {
        const int row = i / kPieces;
        const int piece = i % kPieces;
        const int64_t source = shared.rows[row];
        const int64_t k = chunk.tile() * kInnerTile + piece * 8;
        const int place = Word(stage, row, piece, 0);
        if (aligned && source >= 0 && k < weights.inner) {
          CopyAsync16(shared.numbers, place, input.bfloat16s, source * weights.inner + k);
          continue;
        }
        SFUMATO_UNROLL
        for (int word = 0; word < 4; ++word) {
          const int64_t first = k + word * 2;
          const int64_t end = source < 0 ? 0 : weights.inner;
          shared.numbers[place + word] = LoadPair(input, source * weights.inner, first, end);
        }
      }
      chunk.Advance();
    }
    CommitCopies();
  }

  static SFUMATO_DEVICE uint32_t LoadPair(const Input& input, int64_t start, int64_t k, int64_t end) {
    const auto number = [&](int64_t i) -> uint32_t {
      if (i >= end) return 0;
      return input.floats.IsNull() ? input.bfloat16s[start + i] : PackBfloat16(input.floats[start + i], 0);
    };
    return number(k) | number(k + 1) << 16;
  }

  static SFUMATO_DEVICE void MultiplyTile(Shared& shared, const Next& weights, int stage, int tile, int count,
                                          Sums& sums) {
    uint32_t left[kStrips][1][4];
    SFUMATO_UNROLL
    for (int s = 0; s < kStrips; ++s)
      Weights::Expand(weights.loads[s][tile / Weights::kLoadTiles], tile % Weights::kLoadTiles, left[s]);
    SFUMATO_UNROLL
    for (int first = 0; first < kRowTiles; first += 4) {
      if (first * 8 >= count) continue;
      SFUMATO_UNROLL
      for (int j = first; j < first + 4; ++j) {
        const Word2 row =
            Load2(shared.numbers, Word(stage, j * 8 + Lane() / 4, tile * 2 + Lane() % 4 / 2, Lane() % 2 * 2));
        const uint32_t right[2] = {row.x, row.y};
        SFUMATO_UNROLL
        for (int s = 0; s < kStrips; ++s) MultiplyBfloat16(sums[s][j], left[s][0], right);
      }
    }
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_LARGE_TILE_H_
