#ifndef SFUMATO_CUDA_WEIGHTS_H_
#define SFUMATO_CUDA_WEIGHTS_H_

// Weights as kernels read them: a struct for each format says how many of them a lane loads at once and what fragments of
// bfloat16 numbers they expand to.

#include <cstdint>

#include "cuda/simt.h"

namespace sfumato::cuda {

/// Outputs of a strip and inner numbers of a tile: a fragment of weights is 16 x 16.
constexpr int kStripOutputs = 16;
constexpr int kInnerTile = 16;
/// Strips that a block multiplies at once. Of gated weights every other one holds gates, the one after it their partners.
constexpr int kBlockStrips = 4;
constexpr int kBlockOutputs = kBlockStrips * kStripOutputs;

/// Weights as the tensor cores' left operand, in the order in which lanes hold it: 16 bytes of each lane side by side, 512
/// of a warp, tile after tile along the inner dimension. Lane i holds rows i / 4 and i / 4 + 8 of the strip and inner
/// numbers i % 4 * 4 to i % 4 * 4 + 3 of the tile: in x the first row's first two, in y the second row's, in z and w their
/// last two. (The fragment of the PTX manual with its columns renamed, so that a lane's share of an input row is four
/// neighbours.) Zeros fill strips and tiles up.
struct Fragments {
  Global<const Word4> words;  // [strips, tiles, terms, lanes]
  int64_t outputs;
  int64_t inner;
  int32_t strips;  // a multiple of kBlockStrips
  int32_t tiles;
  bool gated;
};

/// A weight is the sum of its terms, greatest first.
template <int kTermCount>
struct Bfloat16Weights {
  static constexpr int kTerms = kTermCount;
  /// Tiles that a lane loads at once.
  static constexpr int kLoadTiles = 1;

  /// A lane's share of a strip's load.
  struct Loaded {
    Word4 words[kTerms];
  };

  static SFUMATO_DEVICE Loaded Load(const Fragments& weights, int64_t strip, int64_t load) {
    Loaded loaded;
    SFUMATO_UNROLL
    for (int term = 0; term < kTerms; ++term) {
      const int64_t fragment = (strip * weights.tiles + load) * kTerms + term;
      loaded.words[term] = LoadStreamed(weights.words, fragment * kWarpThreads + Lane());
    }
    return loaded;
  }

  /// The fragments of one of the load's tiles.
  static SFUMATO_DEVICE void Expand(const Loaded& loaded, int, uint32_t (&fragments)[kTerms][4]) {
    SFUMATO_UNROLL
    for (int term = 0; term < kTerms; ++term) {
      fragments[term][0] = loaded.words[term].x;
      fragments[term][1] = loaded.words[term].y;
      fragments[term][2] = loaded.words[term].z;
      fragments[term][3] = loaded.words[term].w;
    }
  }
};

/// The weights of a block's strips from one load to another, for one warp. What comes next is loaded while the tensor cores
/// multiply.
template <class Weights>
class WeightStream {
 public:
  static constexpr int kTerms = Weights::kTerms;

  SFUMATO_DEVICE WeightStream(const Fragments& weights, int64_t first_strip, int64_t begin, int64_t end)
      : weights_(weights), first_strip_(first_strip), end_(end) {
    if (begin < end) Load(begin);
  }

  /// Goes on to a load, which is begin at first and then always the one after it.
  SFUMATO_DEVICE void Take(int64_t load) {
    SFUMATO_UNROLL
    for (int s = 0; s < kBlockStrips; ++s) taken_[s] = next_[s];
    if (load + 1 < end_) Load(load + 1);
  }

  /// The fragments of one of the taken tiles.
  SFUMATO_DEVICE void Expand(int tile, uint32_t (&fragments)[kBlockStrips][kTerms][4]) const {
    SFUMATO_UNROLL
    for (int s = 0; s < kBlockStrips; ++s) Weights::Expand(taken_[s], tile, fragments[s]);
  }

 private:
  SFUMATO_DEVICE void Load(int64_t load) {
    SFUMATO_UNROLL
    for (int s = 0; s < kBlockStrips; ++s) next_[s] = Weights::Load(weights_, first_strip_ + s, load);
  }

  const Fragments& weights_;
  const int64_t first_strip_;
  const int64_t end_;
  typename Weights::Loaded taken_[kBlockStrips];
  typename Weights::Loaded next_[kBlockStrips];
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_WEIGHTS_H_
