#ifndef SFUMATO_CUDA_SOFT_EMBEDDING_KERNELS_H_
#define SFUMATO_CUDA_SOFT_EMBEDDING_KERNELS_H_

// The mean of the vocabulary's embeddings by each candidate's distribution (SoftEmbeddings of ops/candidates.h), for a group
// of candidates whose greatest logits are known: products become probabilities where they lie, and these are multiplied
// with the head's weights, which are the embeddings. Runs of the vocabulary have sums of their own.

#include <cstdint>

#include "cuda/candidate_step.h"
#include "cuda/large_tile.h"

namespace sfumato::cuda {

/// Tokens of a run.
constexpr int64_t kRunTokens = 32768;
constexpr int64_t kRunStrips = kRunTokens / kStripOutputs;

/// exp(sampling scale (logit - the candidate's greatest)), times the scale of the embedding where that has one, instead of a
/// run's products; and the sum of the exponentials. x of the candidates, y of the runs. Zeros fill the last tile up. Floats
/// stay in the places of the products. Rounded weights, two in a word, lie where the run's products begin, and a strip's in
/// the order in which LargeTile multiplies rows with transposed fragments: a lane's tokens i, i + 1, i + 8 and i + 9 are
/// neighbours.
template <bool kRounded>
struct WeighTokensKernel {
  static constexpr const char* kName = "weigh_tokens";
  static constexpr int kThreads = kRowThreads;
  static constexpr int kPairs = 4;  // of a thread at a time
  struct Shared {
    SharedArray<double, kThreads / kWarpThreads> sums;
  };

  CandidateStep step;
  Global<const float> token_scales;  // [vocabulary] or null
  Global<float> weights;             // the products' place
  Global<double> sums;               // [count, runs]
  int64_t runs;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t candidate = BlockX();
    const int64_t begin = BlockY() * kRunTokens;
    const int64_t left = step.tiles * kCandidateTile - begin;
    const int64_t tokens = left < kRunTokens ? left : kRunTokens;
    const float scale = SamplingScale(step.rules[step.rows[candidate].item]);
    const float maximum = step.maxima[candidate];
    double sum = 0;
    for (int64_t first = 0; first < tokens; first += kPairs * 2 * kThreads) {
      float pairs[kPairs][2];
      SFUMATO_UNROLL
      for (int n = 0; n < kPairs * 2; ++n) {
        const int64_t token = begin + TokenOf(first, n / 2) + n % 2;
        float weight = 0;
        if (token < step.vocabulary) {
          weight = expf(scale * (step.Logit(candidate, token) - maximum));
          sum += weight;
          if (!token_scales.IsNull()) weight *= token_scales[token];
        }
        pairs[n / 2][n % 2] = weight;
      }
      // All products have been read whose place the rounded weights take.
      if constexpr (kRounded) SyncBlock();
      SFUMATO_UNROLL
      for (int n = 0; n < kPairs; ++n) {
        const int64_t token = TokenOf(first, n);
        if (token < tokens) Store(step.Place(candidate, begin), token, pairs[n]);
      }
    }
    sum = BlockSum(sum, shared.sums);
    if (ThreadIndex() == 0) sums[candidate * runs + BlockY()] = sum;
  }

 private:
  /// The first token of a thread's nth pair.
  static SFUMATO_DEVICE int64_t TokenOf(int64_t first, int n) { return first + (n * kThreads + ThreadIndex()) * 2; }

  SFUMATO_DEVICE void Store(int64_t place, int64_t token, const float (&pair)[2]) const {
    if constexpr (kRounded) {
      const int64_t in_strip = token % kStripOutputs;
      const int64_t word = (token - in_strip) / 2 + in_strip % 8 + in_strip / 8;
      weights[place + word] = BitCast<float>(PackBfloat16(pair[0], pair[1]));
    } else {
      weights[place + token] = pair[0];
      weights[place + token + 1] = pair[1];
    }
  }
};

SFUMATO_DEVICE void Transpose(const uint32_t (&fragment)[4], uint32_t (&transposed)[4]) {
  transposed[0] = TransposeFragment(fragment[0]);
  transposed[1] = TransposeFragment(fragment[2]);
  transposed[2] = TransposeFragment(fragment[1]);
  transposed[3] = TransposeFragment(fragment[3]);
}

/// The inner number of a tile that row r of the transposed fragment's upper or lower half is.
SFUMATO_DEVICE int InnerOfRow(int r, int half) { return r / 2 * 4 + r % 2 + half * 2; }

/// The head's fragments transposed, so that what were outputs are summed over: a tile of 16 x 16 is a load, the head's strips
/// are inner tiles, and its inner tiles are strips.
template <class Weights>
struct TransposedWeights {
  static constexpr bool kTransposed = true;
  using Kept = Weights;
  static constexpr int kTerms = 1;
  static constexpr int kLoadTiles = 1;
  static constexpr bool kOutputScales = false;
  static constexpr bool kFloat8Inputs = false;
  static_assert(Weights::kTerms == 1);

  using Loaded = typename Weights::Tile;

  static SFUMATO_DEVICE Loaded Load(const Global<const uint32_t>& words, int64_t place) {
    return Weights::LoadTile(words, place);
  }

  static SFUMATO_DEVICE void Expand(const Loaded& loaded, int, uint32_t (&fragments)[kTerms][4]) {
    uint32_t kept[kTerms][4];
    Weights::Expand(loaded, kept);
    Transpose(kept[0], fragments[0]);
  }

  /// A run's embeddings. stride: of the rows that they are multiplied with.
  static SFUMATO_DEVICE Fragments View(const Fragments& head, int64_t run, int64_t stride) {
    Fragments view = head;
    view.words = &head.words[PlaceOfLoad<Weights>(head, run * kRunStrips, 0)];
    const int64_t left = head.strips - run * kRunStrips;
    view.tiles = static_cast<int32_t>(left < kRunStrips ? left : kRunStrips);
    view.strips = head.tiles;
    view.inner = stride;
    return view;
  }
};

/// Where a view's tile begins. The last strip stands in for those after it, so that a warp may take two.
template <class Weights>
  requires Weights::kTransposed
SFUMATO_DEVICE int64_t PlaceOfLoad(const Fragments& view, int64_t strip, int64_t load) {
  using Kept = typename Weights::Kept;
  constexpr int kTileWords = Kept::kLoadWords / Kept::kLoadTiles;
  const int64_t tile = strip < view.strips ? strip : view.strips - 1;
  return PlaceOfLoad<Kept>(view.strips / Kept::kLoadTiles, load, tile / Kept::kLoadTiles) +
         tile % Kept::kLoadTiles * kTileWords;
}

/// A run's mixtures = weights embeddings, rounded weights: x of the tiles of candidates, y of the blocks of the inner
/// dimension, z of the runs.
template <int kRowTiles, class Weights>
struct MixEmbeddingsKernel {
  static constexpr const char* kName = "mix_embeddings";
  static constexpr int kThreads = kProductThreads;
  using Embeddings = TransposedWeights<Weights>;
  using Tile = LargeTile<kRowTiles, Embeddings>;
  using Shared = typename Tile::Shared;
  static constexpr int kRows = Tile::kRows;
  static constexpr int kInner = Tile::kOutputs;  // of a block

  Fragments head;
  int64_t count;
  Global<const uint16_t> weights;  // [count, stride]
  int64_t stride;
  Global<float> mixtures;  // [runs, count, inner]

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t run = BlockZ();
    const int64_t first = static_cast<int64_t>(BlockX()) * kRows;
    const int rows = count - first < kRows ? static_cast<int>(count - first) : kRows;
    const int64_t strip = static_cast<int64_t>(BlockY()) * kInner / kStripOutputs;
    Input input = {};
    input.bfloat16s = &weights[run * kRunTokens * static_cast<int64_t>(sizeof(float) / sizeof(uint16_t))];
    Tile::Multiply(shared, Embeddings::View(head, run, stride), strip, input, rows,
                   [&](int row) { return static_cast<int32_t>(first + row); });
    SFUMATO_UNROLL_LITTLE
    for (int n = 0; n < Tile::kStrips * kRowTiles * 4; ++n) {
      const int s = n / 4 / kRowTiles;
      const int j = n / 4 % kRowTiles;
      const int i = n % 4;
      const int64_t tile = strip + WarpIndex() * Tile::kStrips + s;
      const int64_t k = tile * kInnerTile + InnerOfRow(Lane() / 4, i / 2);
      if (Tile::RowOf(j, i) < rows && k < head.inner)
        mixtures[(run * count + first + Tile::RowOf(j, i)) * head.inner + k] = Tile::At(shared, s, j, i);
    }
  }
};

/// The same for exact weights, y of four tiles of the inner dimension each, one for each warp.
template <int kRowTiles, class Weights>
struct MixExactEmbeddingsKernel {
  static constexpr const char* kName = "mix_exact_embeddings";
  static constexpr int kThreads = kProductThreads;
  static constexpr int kRows = 8 * kRowTiles;
  static constexpr int kInner = kProductWarps * kInnerTile;  // of a block
  static constexpr int kInputTerms = 3;
  using Shared = NoShared;

  Fragments head;
  int64_t count;
  Global<const float> weights;  // [count, stride]
  int64_t stride;
  Global<float> mixtures;  // [runs, count, inner]

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t tile = static_cast<int64_t>(BlockY()) * kProductWarps + WarpIndex();
    if (tile >= head.tiles) return;
    const int64_t first = static_cast<int64_t>(BlockX()) * kRows;
    const int64_t first_strip = BlockZ() * kRunStrips;
    const int64_t left = head.strips - first_strip;
    const int64_t end_strip = first_strip + (left < kRunStrips ? left : kRunStrips);
    float sums[kRowTiles][4] = {};
    for (int64_t strip = first_strip; strip < end_strip; strip += kPartStrips)
      AddPart(tile, first, strip, strip + kPartStrips < end_strip ? strip + kPartStrips : end_strip, sums);
    SFUMATO_UNROLL
    for (int j = 0; j < kRowTiles; ++j) {
      SFUMATO_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int64_t k = tile * kInnerTile + InnerOfRow(Lane() / 4, i / 2);
        const int64_t row = first + j * 8 + Lane() % 4 * 2 + i % 2;
        if (row < count && k < head.inner) mixtures[(BlockZ() * count + row) * head.inner + k] = sums[j][i];
      }
    }
  }

 private:
  static constexpr int64_t kPartStrips = kRunStrips / 8;  // with sums of their own

  SFUMATO_DEVICE void AddPart(int64_t tile, int64_t first, int64_t begin_strip, int64_t end_strip,
                              float (&sums)[kRowTiles][4]) const {
    float part[kRowTiles][4] = {};
    for (int64_t strip = begin_strip; strip < end_strip; ++strip) {
      uint32_t fragments[Weights::kTerms][4];
      const int64_t load = PlaceOfLoad<Weights>(head, strip, tile / Weights::kLoadTiles);
      Weights::Expand(head.words, load, static_cast<int>(tile % Weights::kLoadTiles), fragments);
      uint32_t left[Weights::kTerms][4];
      SFUMATO_UNROLL
      for (int term = 0; term < Weights::kTerms; ++term) Transpose(fragments[term], left[term]);
      const int64_t token = strip * kStripOutputs + Lane() % 4 * 2;
      SFUMATO_UNROLL
      for (int j = 0; j < kRowTiles; ++j) {
        const int64_t row = first + j * 8 + Lane() / 4;
        uint32_t low[kInputTerms] = {};
        uint32_t high[kInputTerms] = {};
        if (row < count) {
          const int64_t place = row * stride + token;
          SplitBfloat16(weights[place], weights[place + 1], low);
          SplitBfloat16(weights[place + 8], weights[place + 9], high);
        }
        SFUMATO_UNROLL
        for (int order = kInputTerms - 1; order >= 0; --order) {
          SFUMATO_UNROLL
          for (int term = 0; term < Weights::kTerms; ++term) {
            if (order - term < 0) continue;
            const uint32_t right[2] = {low[order - term], high[order - term]};
            MultiplyBfloat16(part[j], left[term], right);
          }
        }
      }
    }
    SFUMATO_UNROLL
    for (int n = 0; n < kRowTiles * 4; ++n) sums[n / 4][n % 4] += part[n / 4][n % 4];
  }
};

/// Adds a candidate's mixtures up, run by run, divides by its weights' sum and puts the mean in its place: one block for each candidate.
struct PlaceSoftEmbeddingKernel {
  static constexpr const char* kName = "place_soft_embedding";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const CandidateRow> rows;  // [count]
  Global<const Sequence> sequences;
  Global<const double> sums;     // [count, runs]
  Global<const float> mixtures;  // [runs, count, inner]
  int64_t count;
  int64_t runs;
  int64_t inner;
  Global<float> soft;  // [slots, canvas, inner]
  int64_t canvas;
  float scale;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t candidate = BlockX();
    const CandidateRow& row = rows[candidate];
    if (!row.first_of_row) return;
    double total = 0;
    for (int64_t run = 0; run < runs; ++run) total += sums[candidate * runs + run];
    const auto factor = static_cast<float>(scale / total);
    const Sequence& sequence = sequences[row.item];
    const int64_t place = (sequence.slot * canvas + row.row - sequence.first_row) * inner;
    for (int64_t i = ThreadIndex(); i < inner; i += kThreads) {
      float mixture = 0;
      for (int64_t run = 0; run < runs; ++run) mixture += mixtures[(run * count + candidate) * inner + i];
      soft[place + i] = mixture * factor;
    }
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_SOFT_EMBEDDING_KERNELS_H_
