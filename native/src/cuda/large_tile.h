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
    SharedArray<uint32_t, kStages * kRows * kChunkTiles * 8> numbers;  // [stages, rows, pairs of a chunk], see Word
    SharedArray<float, kOutputs * kRows> sums;                         // [numbers of a thread, threads]
    SharedArray<int32_t, kRows> rows;                                  // of the input
  };

  /// Results lie where their thread has summed them, one after the other: of a strip of its warp, a row tile and one of four
  /// numbers, which is of output OutputOf(i) of the strip and row RowOf(j, i) of the tile.
  static SFUMATO_DEVICE float At(Shared& shared, int strip, int j, int i) {
    return shared.sums[Place((strip * kRowTiles + j) * 4 + i)];
  }
  static SFUMATO_DEVICE int OutputOf(int i) { return Lane() / 4 + i / 2 * 8; }
  static SFUMATO_DEVICE int RowOf(int j, int i) { return j * 8 + Lane() % 4 * 2 + i % 2; }

  /// All threads of the block, which then have their results. strip: the block's first one; those beyond the weights' last
  /// have none. count: rows of the tile, input_row(i) which one of the input each is.
  template <class InputRow>
  static SFUMATO_DEVICE void Multiply(Shared& shared, const Fragments& weights, int64_t strip, const Input& input,
                                      int count, const InputRow& input_row) {
    static_assert(Weights::kTerms == 1);
    SyncBlock();  // all have done with the rows before
    for (int row = ThreadIndex(); row < count; row += kProductThreads) shared.rows[row] = input_row(row);
    SyncBlock();
    strip += WarpIndex() * kStrips;
    const bool there = strip < weights.strips;  // for both strips, since their number is even
    const bool aligned = weights.inner % 8 == 0 && input.floats.IsNull();
    Chunks ahead(weights);
    SFUMATO_UNROLL
    for (int stage = 0; stage < kStages - 1; ++stage) CopyRows(shared, weights, input, aligned, count, stage, ahead);
    Chunks chunk(weights);
    typename Weights::Loaded loaded[kChunkLoads][kStrips] = {};
    SFUMATO_UNROLL
    for (int load = 0; load < kChunkLoads; ++load) {
      if (there && load < chunk.loads()) Load(weights, strip, chunk.load() + load, loaded[load]);
    }
    float sums[kStrips][kRowTiles][4] = {};
    int part = 0;
    int stage = 0;
    while (!chunk.Done()) {
      WaitForCopies<kStages - 2>();
      SyncBlock();
      CopyRows(shared, weights, input, aligned, count, stage == 0 ? kStages - 1 : stage - 1, ahead);
      for (; part < chunk.part(); ++part) Put(shared, part, sums);
      const int loads = chunk.loads();
      chunk.Advance();
      SFUMATO_UNROLL
      for (int load = 0; load < kChunkLoads; ++load) {
        typename Weights::Loaded taken[kStrips];
        SFUMATO_UNROLL
        for (int s = 0; s < kStrips; ++s) taken[s] = loaded[load][s];
        if (there && load < chunk.loads()) Load(weights, strip, chunk.load() + load, loaded[load]);
        if (!there || load >= loads) continue;
        SFUMATO_UNROLL
        for (int tile = 0; tile < Weights::kLoadTiles; ++tile)
          MultiplyTile(shared, taken, stage, load * Weights::kLoadTiles + tile, count, sums);
      }
      stage = stage == kStages - 1 ? 0 : stage + 1;
    }
    for (; part < kProductWarps; ++part) Put(shared, part, sums);
    if constexpr (Weights::kOutputScales) {
      if (there) ScaleSums(shared, weights, strip);
    }
    WaitForCopies<0>();
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
    SFUMATO_DEVICE int load() const { return load_; }
    /// None when all is done.
    SFUMATO_DEVICE int loads() const { return end_ - load_ < kChunkLoads ? end_ - load_ : kChunkLoads; }
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
        if (part_ < kProductWarps) end_ = static_cast<int>(static_cast<int64_t>(loads_) * (part_ + 1) / kProductWarps);
      }
    }

    int loads_;
    int part_ = -1;
    int load_ = 0;
    int end_ = 0;
  };

  static SFUMATO_DEVICE void Load(const Fragments& weights, int64_t strip, int load,
                                  typename Weights::Loaded (&loaded)[kStrips]) {
    SFUMATO_UNROLL
    for (int s = 0; s < kStrips; ++s)
      loaded[s] = Weights::Load(weights.words, PlaceOfLoad<Weights>(weights, strip + s, load));
  }

  static SFUMATO_DEVICE int Place(int n) { return n * kProductThreads + ThreadIndex(); }

  /// Adds a part's sums to those of the parts before it, and begins anew.
  static SFUMATO_DEVICE void Put(Shared& shared, int part, float (&sums)[kStrips][kRowTiles][4]) {
    SFUMATO_UNROLL
    for (int n = 0; n < kStrips * kRowTiles * 4; ++n) {
      float& sum = sums[n / 4 / kRowTiles][n / 4 % kRowTiles][n % 4];
      if (n % 4 == 0) SyncWarp();  // else the compiler reads all before it adds, into registers that aren't there
      float before = 0;
      if (part > 0) before = shared.sums[Place(n)];
      shared.sums[Place(n)] = part > 0 ? before + sum : sum;
      sum = 0;
    }
  }

  static SFUMATO_DEVICE void ScaleSums(Shared& shared, const Fragments& weights, int64_t strip) {
    SFUMATO_UNROLL
    for (int s = 0; s < kStrips; ++s) {
      SFUMATO_UNROLL
      for (int i = 0; i < 4; ++i) {
        const float scale = weights.scales[(strip + s) * kStripOutputs + OutputOf(i)];
        SFUMATO_UNROLL_LITTLE
        for (int j = 0; j < kRowTiles; ++j) {
          const int place = Place((s * kRowTiles + j) * 4 + i);
          shared.sums[place] = shared.sums[place] * scale;
        }
      }
    }
  }

  /// The word of a row's pair. Pieces of 16 bytes change places by the row, so that the lanes of a fragment meet different
  /// banks; by its place among 8 only, so that rows of a lane are at equal distances.
  static SFUMATO_DEVICE int Word(int stage, int row, int piece, int word) {
    constexpr int kRowsOfBanks = 32 / kRowWords;
    const int turned = piece ^ row % 8 / kRowsOfBanks % (kPieces / 2) * 2;
    return (stage * kRows + row) * kRowWords + turned * 4 + word;
  }

  /// Starts to copy a chunk's numbers of all rows, and goes on to the next chunk. Zeros where there is no row or number.
  static SFUMATO_DEVICE void CopyRows(Shared& shared, const Fragments& weights, const Input& input, bool aligned,
                                      int count, int stage, Chunks& chunk) {
    if (!chunk.Done()) {
      SFUMATO_UNROLL_LITTLE
      for (int i = ThreadIndex(); i < kRows * kPieces; i += kProductThreads) {
        const int row = i / kPieces;
        const int piece = i % kPieces;
        const int64_t start = row < count ? shared.rows[row] * weights.inner : 0;
        const int64_t k = static_cast<int64_t>(chunk.load()) * Weights::kLoadTiles * kInnerTile + piece * 8;
        const int place = Word(stage, row, piece, 0);
        if (aligned && row < count && k < weights.inner) {
          CopyAsync16(shared.numbers, place, input.bfloat16s, start + k);
          continue;
        }
        const int64_t end = row < count ? weights.inner : 0;
        SFUMATO_UNROLL_LITTLE
        for (int word = 0; word < 4; ++word) shared.numbers[place + word] = LoadPair(input, start, k + word * 2, end);
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

  static SFUMATO_DEVICE void MultiplyTile(Shared& shared, const typename Weights::Loaded (&loaded)[kStrips], int stage,
                                          int tile, int count, float (&sums)[kStrips][kRowTiles][4]) {
    uint32_t left[kStrips][1][4];
    SFUMATO_UNROLL
    for (int s = 0; s < kStrips; ++s) Weights::Expand(loaded[s], tile % Weights::kLoadTiles, left[s]);
    const int place = Word(stage, Lane() / 4, tile * 2 + Lane() % 4 / 2, Lane() % 2 * 2);
    SFUMATO_UNROLL
    for (int first = 0; first < kRowTiles; first += 4) {
      if (first * 8 >= count) continue;
      SFUMATO_UNROLL
      for (int j = first; j < first + 4; ++j) {
        const Word2 row = LoadWords2(shared.numbers, place + j * 8 * kRowWords);
        const uint32_t right[2] = {row.x, row.y};
        SFUMATO_UNROLL
        for (int s = 0; s < kStrips; ++s) MultiplyFragments<Weights>(sums[s][j], left[s][0], right);
      }
    }
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_LARGE_TILE_H_
