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
  int64_t inner;
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

/// Whole numbers of -8 to 7 times a scale for each output's group of 32 inner numbers, two tiles. The scale is a bfloat16
/// number with five significant bits, so that the product is a bfloat16 number.
struct Int4Weights {
  static constexpr int kTerms = 1;
  static constexpr int kLoadTiles = 4;
  static constexpr int kGroupTiles = 2;
  static constexpr int kScales = kLoadTiles * kWarpThreads;   // where a load's scales begin
  static constexpr int kLoadWords = kScales + kStripOutputs;  // [tiles, lanes] and [rows], a pair of scales each
  static constexpr bool kOutputScales = false;

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

/// The weights of a block's strips from one load to another, for one warp, by a ring in shared memory: while one load is
/// multiplied the next kStages - 1 are on their way.
template <class Weights, int kStages>
class WeightStream {
 public:
  static constexpr int kStageWords = kBlockStrips * Weights::kLoadWords;
  using Ring = SharedArray<uint32_t, kProductWarps * kStages * kStageWords>;

  SFUMATO_DEVICE WeightStream(Ring& ring, const Fragments& weights, int64_t first_strip, int32_t begin, int32_t end)
      : ring_(ring),
        words_(weights.words),
        block_(PlaceOfLoad<Weights>(weights, first_strip, 0)),
        end_(end),
        copied_(begin) {
    for (int stage = 0; stage < kStages - 1; ++stage) Copy();
  }

  /// Goes on to the first load, then each time to the next.
  SFUMATO_DEVICE void Take() {
    if constexpr (kStages == 1) {
      SyncWarp();
      Copy();
      WaitForCopies<0>();
      SyncWarp();
    } else {
      WaitForCopies<kStages - 2>();
      // Now the load is there for all lanes, and all have read the one before it, whose place the copy takes.
      SyncWarp();
      Copy();
      taken_ = taken_ + 1 == kStages ? 0 : taken_ + 1;
    }
  }

  /// The fragments of one of the load's tiles.
  SFUMATO_DEVICE void Expand(int tile, uint32_t (&fragments)[kBlockStrips][Weights::kTerms][4]) {
    SFUMATO_UNROLL
    for (int s = 0; s < kBlockStrips; ++s)
      Weights::Expand(ring_, StageAt(taken_) + s * Weights::kLoadWords, tile, fragments[s]);
  }

  /// After the last load.
  SFUMATO_DEVICE void Finish() { WaitForCopies<0>(); }

 private:
  static SFUMATO_DEVICE int StageAt(int stage) { return (WarpIndex() * kStages + stage) * kStageWords; }

  /// Starts to copy the next load to the place of the one that was taken before the current one.
  SFUMATO_DEVICE void Copy() {
    if (copied_ < end_) {
      const int64_t from = block_ + static_cast<int64_t>(copied_) * kStageWords;
      SFUMATO_UNROLL
      for (int i = 0; i < kStageWords; i += 4 * kWarpThreads) {
        const int word = i + Lane() * 4;
        if (word < kStageWords) CopyAsync16(ring_, StageAt(free_) + word, words_, from + word);
      }
    }
    CommitCopies();
    ++copied_;
    free_ = free_ + 1 == kStages ? 0 : free_ + 1;
  }

  Ring& ring_;
  const Global<const uint32_t> words_;
  const int64_t block_;
  const int32_t end_;
  int32_t copied_;
  int free_ = 0;
  int taken_ = kStages - 1;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_WEIGHTS_H_
