#ifndef SFUMATO_CUDA_WEIGHTS_H_
#define SFUMATO_CUDA_WEIGHTS_H_

// Weights as kernels read them: a struct for each format says how a lane expands them to fragments of bfloat16 numbers.
// weight_packing.h says how they are packed.

#include <cstdint>

#include "cuda/simt.h"

namespace sfumato::cuda {

/// Outputs of a strip and inner numbers of a tile: a fragment of weights is 16 x 16.
constexpr int kStripOutputs = 16;
constexpr int kInnerTile = 16;
/// Strips that a block multiplies at once. Of gated weights every other one holds gates, the one after it their partners.
constexpr int kBlockStrips = 4;
constexpr int kBlockOutputs = kBlockStrips * kStripOutputs;
constexpr int kProductWarps = 4;

/// Weights as the tensor cores' left operand, in the order in which lanes hold it. Lane i holds rows i / 4 and i / 4 + 8 of
/// the strip and inner numbers i % 4 * 4 to i % 4 * 4 + 3 of the tile: in a fragment's first register the first row's first
/// two, in the second the second row's, in the third and fourth their last two. (The fragment of the PTX manual with its
/// columns renamed, so that a lane's share of an input row is four neighbours.) Some tiles together are a load, and a
/// block's strips of it lie side by side, so that a warp reads them in a row. Zeros fill strips and loads up.
struct Fragments {
  Global<const uint32_t> words;  // [strips / kBlockStrips, loads, kBlockStrips, words of a load]
  Global<const float> scales;    // [strips, kStripOutputs], or null where the format has none for outputs
  int64_t outputs;
  int64_t inner;   // pairs for Fp8PairWeights, with those that fill up
  int32_t strips;  // a multiple of kBlockStrips
  int32_t tiles;   // of all loads
  bool gated;
};

/// A weight is the sum of its terms, greatest first.
template <int kTermCount>
struct Bfloat16Weights {
  static constexpr int kTerms = kTermCount;
  /// Tiles of a load, and its words for a strip.
  static constexpr int kLoadTiles = 1;
  static constexpr int kLoadWords = 4 * kTerms * kWarpThreads;  // [terms, lanes, 4]
  static constexpr bool kOutputScales = false;
  static constexpr bool kFloat8Inputs = false;

  /// A lane's share of a strip's load.
  struct Loaded {
    Word4 words[kTerms];
  };

  static SFUMATO_DEVICE Loaded Load(const Global<const uint32_t>& words, int64_t load) {
    Loaded loaded;
    SFUMATO_UNROLL
    for (int term = 0; term < kTerms; ++term) loaded.words[term] = LoadTerm(words, load, term);
    return loaded;
  }

  /// The fragments of one of the load's tiles.
  static SFUMATO_DEVICE void Expand(const Loaded& loaded, int, uint32_t (&fragments)[kTerms][4]) {
    SFUMATO_UNROLL
    for (int term = 0; term < kTerms; ++term) Spread(loaded.words[term], fragments[term]);
  }

  /// A lane's share of one tile, which begins at place.
  using Tile = Loaded;
  static SFUMATO_DEVICE Tile LoadTile(const Global<const uint32_t>& words, int64_t place) { return Load(words, place); }
  static SFUMATO_DEVICE void Expand(const Tile& tile, uint32_t (&fragments)[kTerms][4]) { Expand(tile, 0, fragments); }

  /// Of a load that lies in the device's memory or in shared memory.
  template <class Words>
  static SFUMATO_DEVICE void Expand(Words& words, int64_t load, int, uint32_t (&fragments)[kTerms][4]) {
    SFUMATO_UNROLL
    for (int term = 0; term < kTerms; ++term) Spread(LoadTerm(words, load, term), fragments[term]);
  }

 private:
  template <class Words>
  static SFUMATO_DEVICE Word4 LoadTerm(Words& words, int64_t load, int term) {
    return LoadWords4(words, load + (term * kWarpThreads + Lane()) * 4);
  }
  static SFUMATO_DEVICE void Spread(const Word4& word, uint32_t (&fragment)[4]) {
    fragment[0] = word.x;
    fragment[1] = word.y;
    fragment[2] = word.z;
    fragment[3] = word.w;
  }
};

/// Numbers of 8 bits (E4M3) times a scale for each output, a float, which products apply to their sums.
struct Fp8Weights {
  static constexpr int kTerms = 1;
  static constexpr int kLoadTiles = 2;
  static constexpr int kLoadWords = 2 * kLoadTiles * kWarpThreads;  // [tiles, lanes, 2]
  static constexpr bool kOutputScales = true;
  static constexpr bool kFloat8Inputs = false;

  struct Loaded {
    Word2 words[kLoadTiles];
  };

  static SFUMATO_DEVICE Loaded Load(const Global<const uint32_t>& words, int64_t load) {
    Loaded loaded;
    SFUMATO_UNROLL
    for (int tile = 0; tile < kLoadTiles; ++tile) loaded.words[tile] = LoadTile(words, load, tile);
    return loaded;
  }

  static SFUMATO_DEVICE void Expand(const Loaded& loaded, int tile, uint32_t (&fragments)[kTerms][4]) {
    ExpandTile(loaded.words[tile], fragments[0]);
  }

  /// A lane's share of one tile, which begins at place.
  using Tile = Word2;
  static SFUMATO_DEVICE Tile LoadTile(const Global<const uint32_t>& words, int64_t place) {
    return LoadTile(words, place, 0);
  }
  static SFUMATO_DEVICE void Expand(const Tile& tile, uint32_t (&fragments)[kTerms][4]) {
    ExpandTile(tile, fragments[0]);
  }

  template <class Words>
  static SFUMATO_DEVICE void Expand(Words& words, int64_t load, int tile, uint32_t (&fragments)[kTerms][4]) {
    ExpandTile(LoadTile(words, load, tile), fragments[0]);
  }

 private:
  template <class Words>
  static SFUMATO_DEVICE Word2 LoadTile(Words& words, int64_t load, int tile) {
    return LoadWords2(words, load + (tile * kWarpThreads + Lane()) * 2);
  }
  static SFUMATO_DEVICE void ExpandTile(const Word2& word, uint32_t (&fragment)[4]) {
    ExpandPairs(word.x, fragment[0], fragment[1]);
    ExpandPairs(word.y, fragment[2], fragment[3]);
  }
  /// Exact: sign, exponent and mantissa in their places are the number times 2^-120, subnormal ones too, since both formats
  /// have them.
  static SFUMATO_DEVICE void ExpandPairs(uint32_t word, uint32_t& first, uint32_t& second) {
    first = MultiplyAddBfloat16((word & 0x80008000) | (word >> 4 & 0x07F007F0), kTwoTo120, kMinusZero);
    second = MultiplyAddBfloat16((word << 8 & 0x80008000) | (word << 4 & 0x07F007F0), kTwoTo120, kMinusZero);
  }

  static constexpr uint32_t kTwoTo120 = 0x7B807B80;
  static constexpr uint32_t kMinusZero = 0x80008000;
};

/// The numbers and scales of Fp8Weights for inputs in E4M3, of which two take the place of a bfloat16 number: a tile is 32 inner
/// numbers as 16 pairs, and Fragments count pairs. Else it is Bfloat16Weights<1>, with a product of its own.
struct Fp8PairWeights : Bfloat16Weights<1> {
  static constexpr int kNumbers = 2;  // of a pair
  static constexpr bool kOutputScales = true;
  static constexpr bool kFloat8Inputs = true;
};

/// sums += a tile's fragment of weights times one of rows.
template <class Weights>
SFUMATO_DEVICE void MultiplyFragments(float (&sums)[4], const uint32_t (&weights)[4], const uint32_t (&rows)[2]) {
  if constexpr (Weights::kFloat8Inputs) {
    MultiplyFloat8(sums, weights, rows);
  } else {
    MultiplyBfloat16(sums, weights, rows);
  }
}

/// Whole numbers of -8 to 7 times a scale for each output's group of 32 inner numbers, two tiles. The scale is a bfloat16
/// number with five significant bits, so that the product is a bfloat16 number.
struct Int4Weights {
  static constexpr int kTerms = 1;
  static constexpr int kLoadTiles = 4;
  static constexpr int kGroupTiles = 2;
  static constexpr int kScales = kLoadTiles * kWarpThreads;   // where a load's scales begin
  static constexpr int kLoadWords = kScales + kStripOutputs;  // [tiles, lanes] and [rows], a pair of scales each
  static constexpr bool kOutputScales = false;
  static constexpr bool kFloat8Inputs = false;

  struct Loaded {
    uint32_t words[kLoadTiles];
    uint32_t upper_scales;
    uint32_t lower_scales;
  };

  static SFUMATO_DEVICE Loaded Load(const Global<const uint32_t>& words, int64_t load) {
    Loaded loaded;
    SFUMATO_UNROLL
    for (int tile = 0; tile < kLoadTiles; ++tile) loaded.words[tile] = words[load + tile * kWarpThreads + Lane()];
    loaded.upper_scales = words[load + kScales + Lane() / 4];
    loaded.lower_scales = words[load + kScales + Lane() / 4 + 8];
    return loaded;
  }

  static SFUMATO_DEVICE void Expand(const Loaded& loaded, int tile, uint32_t (&fragments)[kTerms][4]) {
    ExpandTile(loaded.words[tile], loaded.upper_scales, loaded.lower_scales, tile, fragments[0]);
  }

  template <class Words>
  static SFUMATO_DEVICE void Expand(Words& words, int64_t load, int tile, uint32_t (&fragments)[kTerms][4]) {
    ExpandTile(words[load + tile * kWarpThreads + Lane()], words[load + kScales + Lane() / 4],
               words[load + kScales + Lane() / 4 + 8], tile, fragments[0]);
  }

 private:
  static SFUMATO_DEVICE void ExpandTile(uint32_t word, uint32_t upper_scales, uint32_t lower_scales, int tile,
                                        uint32_t (&fragment)[4]) {
    const uint32_t upper = ScaleOf(upper_scales, tile);
    const uint32_t lower = ScaleOf(lower_scales, tile);
    const uint32_t upper_offset = OffsetOf(upper);
    const uint32_t lower_offset = OffsetOf(lower);
    fragment[0] = MultiplyAddBfloat16(Sixteenths(word << 3), upper, upper_offset);
    fragment[1] = MultiplyAddBfloat16(Sixteenths(word >> 1), lower, lower_offset);
    fragment[2] = MultiplyAddBfloat16(Sixteenths(word >> 5), upper, upper_offset);
    fragment[3] = MultiplyAddBfloat16(Sixteenths(word >> 9), lower, lower_offset);
  }
  /// The pair of 1 + u / 16, u the four bits from the third on of each half. Sixteen times the scale s, less 24 s, it is
  /// (u - 8) s, without rounding on the way.
  static SFUMATO_DEVICE uint32_t Sixteenths(uint32_t word) { return (word & 0x00780078) | 0x3F803F80; }
  /// A tile's scale, times 16 as it is kept, in both halves.
  static SFUMATO_DEVICE uint32_t ScaleOf(uint32_t pair, int tile) {
    return tile / kGroupTiles == 0 ? (pair & 0xFFFF) | pair << 16 : (pair & 0xFFFF0000) | pair >> 16;
  }
  /// -24 s.
  static SFUMATO_DEVICE uint32_t OffsetOf(uint32_t scale) { return MultiplyAddBfloat16(scale, 0xBFC0BFC0, 0x80008000); }
};

/// Where a strip's load begins. loads: of a strip.
template <class Weights>
SFUMATO_DEVICE int64_t PlaceOfLoad(int64_t loads, int64_t strip, int64_t load) {
  return ((strip / kBlockStrips * loads + load) * kBlockStrips + strip % kBlockStrips) * Weights::kLoadWords;
}
template <class Weights>
SFUMATO_DEVICE int64_t PlaceOfLoad(const Fragments& weights, int64_t strip, int64_t load) {
  return PlaceOfLoad<Weights>(weights.tiles / Weights::kLoadTiles, strip, load);
}

/// The weights of kStrips strips from one load to another, for one warp, by a ring in shared memory: while one load is
/// multiplied the next kStages - 1 are on their way. Of more strips than kBlockStrips those behind the weights' last are
/// neither read nor there.
template <class Weights, int kStages, int kStrips = kBlockStrips>
class WeightStream {
 public:
  static_assert(kStrips % kBlockStrips == 0);
  static constexpr int kBlocks = kStrips / kBlockStrips;
  static constexpr int kStageWords = kStrips * Weights::kLoadWords;
  using Ring = SharedArray<uint32_t, kProductWarps * kStages * kStageWords>;

  SFUMATO_DEVICE WeightStream(Ring& ring, const Fragments& weights, int64_t first_strip, int32_t begin, int32_t end)
      : ring_(ring),
        words_(&weights.words[PlaceOfLoad<Weights>(weights, first_strip, 0)]),
        loads_(weights.tiles / Weights::kLoadTiles),
        blocks_(static_cast<int>((weights.strips - first_strip) / kBlockStrips)),
        end_(end),
        copied_(begin) {
    for (int stage = 0; stage < kStages - 1; ++stage) Copy(stage);
  }

  /// Goes on to the first load, then each time to the next.
  SFUMATO_DEVICE void Take() {
    if constexpr (kStages == 1) {
      SyncWarp();
      Copy(taken_);
      WaitForCopies<0>();
      SyncWarp();
    } else {
      WaitForCopies<kStages - 2>();
      // Now the load is there for all lanes, and all have read the one before it, whose place the copy takes.
      SyncWarp();
      Copy(taken_);
      taken_ = taken_ + 1 == kStages ? 0 : taken_ + 1;
    }
  }

  /// Whether the strips of a block of kBlockStrips are there; the same for all threads.
  SFUMATO_DEVICE bool Has(int block) const { return block == 0 || block < blocks_; }

  /// The fragments of one of the load's tiles, for the strips of a block that is there.
  SFUMATO_DEVICE void Expand(int block, int tile, uint32_t (&fragments)[kBlockStrips][Weights::kTerms][4]) {
    SFUMATO_UNROLL
    for (int s = 0; s < kBlockStrips; ++s)
      Weights::Expand(ring_, StageAt(taken_) + (block * kBlockStrips + s) * Weights::kLoadWords, tile, fragments[s]);
  }

  /// After the last load.
  SFUMATO_DEVICE void Finish() { WaitForCopies<0>(); }

 private:
  static constexpr int kBlockWords = kBlockStrips * Weights::kLoadWords;

  static SFUMATO_DEVICE int StageAt(int stage) { return (WarpIndex() * kStages + stage) * kStageWords; }

  /// Starts to copy the next load.
  SFUMATO_DEVICE void Copy(int stage) {
    if (copied_ < end_) {
      SFUMATO_UNROLL
      for (int block = 0; block < kBlocks; ++block) {
        if (!Has(block)) continue;
        const int32_t from = (block * loads_ + copied_) * kBlockWords;
        const int to = StageAt(stage) + block * kBlockWords;
        SFUMATO_UNROLL
        for (int i = 0; i < kBlockWords; i += 4 * kWarpThreads) {
          const int word = i + Lane() * 4;
          if (word < kBlockWords) CopyAsync16(ring_, to + word, words_, from + word);
        }
      }
    }
    CommitCopies();
    ++copied_;
  }

  Ring& ring_;
  const Global<const uint32_t> words_;  // from the first strip on
  const int32_t loads_;
  const int blocks_;
  const int32_t end_;
  int32_t copied_;
  int taken_ = kStages - 1;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_WEIGHTS_H_
