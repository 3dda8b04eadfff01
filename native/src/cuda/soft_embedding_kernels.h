#ifndef SFUMATO_CUDA_SOFT_EMBEDDING_KERNELS_H_
#define SFUMATO_CUDA_SOFT_EMBEDDING_KERNELS_H_

// The mean of the vocabulary's embeddings by each candidate's distribution (SoftEmbeddings of ops/candidates.h), some
// thousand tokens at a time: their probabilities, then what they add to the mean. The head's weights are the embeddings.

#include <cstdint>

#include "cuda/candidate_kernels.h"
#include "cuda/row_kernels.h"

namespace sfumato::cuda {

/// Tokens whose probabilities are kept at the same time.
constexpr int64_t kMixedTokens = 4096;

/// exp(sampling scale (logit - the candidate's greatest)) of a run of tokens: x of the tiles of candidates, y of the run's
/// tiles. Their sums replace those of the draw, which is over.
template <int kRowTiles, int kInputTerms, class Weights>
struct WeighTokensKernel {
  static constexpr const char* kName = "weigh_tokens";
  static constexpr int kThreads = kProductThreads;
  using Logits = LogitTile<kRowTiles, kInputTerms, Weights>;
  using Shared = typename Logits::Shared;
  static constexpr int kShares = kThreads / Logits::kRows;

  CandidateStep step;
  int64_t first_tile;
  Global<float> weights;  // [count, kMixedTokens]

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t tile = first_tile + BlockY();
    const int64_t first = static_cast<int64_t>(BlockX()) * Logits::kRows;
    const int64_t end = first + Logits::kRows < step.count ? first + Logits::kRows : step.count;
    Logits::Multiply(shared, step, first, end, tile);
    const int index = ThreadIndex() / kShares;
    const int64_t candidate = first + index;
    float sum = 0;
    if (candidate < end) {
      const CandidateRow& row = step.rows[candidate];
      const float scale = SamplingScale(step.rules[row.item]);
      for (int column = ThreadIndex() % kShares; column < kCandidateTile; column += kShares) {
        const int64_t token = tile * kCandidateTile + column;
        float weight = 0;
        if (token < step.head.outputs) {
          const float logit = Logits::At(shared, step, row, index, column, token, false);
          weight = expf(scale * (logit - step.maxima[candidate]));
        }
        weights[candidate * kMixedTokens + static_cast<int64_t>(BlockY()) * kCandidateTile + column] = weight;
        sum += weight;
      }
    }
    for (int mask = 1; mask < kShares; mask *= 2) sum += ShuffleXor(sum, mask);
    if (candidate < end && ThreadIndex() % kShares == 0) step.tile_sums[candidate * step.tiles + tile] = {0, sum};
  }
};

/// mixture += weights embeddings for a run of tokens: x of the tiles of candidates, y of four tiles of the inner
/// dimension each, one for each warp. The head's fragments are transposed in registers: what were outputs are summed over.
template <int kRowTiles, int kInputTerms, class Weights>
struct MixEmbeddingsKernel {
  static constexpr const char* kName = "mix_embeddings";
  static constexpr int kThreads = kProductThreads;
  static constexpr int kRows = 8 * kRowTiles;
  using Shared = NoShared;

  Fragments head;
  int64_t count;
  int64_t first_token;
  Global<const float> weights;  // [count, kMixedTokens]
  Global<float> mixtures;       // [count, inner]

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t tile = static_cast<int64_t>(BlockY()) * kProductWarps + WarpIndex();
    if (tile >= head.tiles) return;
    const int64_t first = static_cast<int64_t>(BlockX()) * kRows;
    float sums[kRowTiles][4] = {};
    const int64_t strips = head.strips - first_token / kStripOutputs;
    for (int64_t strip = 0; strip < strips && strip < kMixedTokens / kStripOutputs; ++strip) {
      uint32_t fragments[Weights::kTerms][4];
      const int64_t load = PlaceOfLoad<Weights>(head, first_token / kStripOutputs + strip, tile / Weights::kLoadTiles);
      Weights::Expand(head.words, load, static_cast<int>(tile % Weights::kLoadTiles), fragments);
      uint32_t left[Weights::kTerms][4];
      SFUMATO_UNROLL
      for (int term = 0; term < Weights::kTerms; ++term) {
        left[term][0] = TransposeFragment(fragments[term][0]);
        left[term][1] = TransposeFragment(fragments[term][2]);
        left[term][2] = TransposeFragment(fragments[term][1]);
        left[term][3] = TransposeFragment(fragments[term][3]);
      }
      const int64_t token = strip * kStripOutputs + Lane() % 4 * 2;
      SFUMATO_UNROLL
      for (int j = 0; j < kRowTiles; ++j) {
        const int64_t row = first + j * 8 + Lane() / 4;
        uint32_t low[kInputTerms] = {};
        uint32_t high[kInputTerms] = {};
        if (row < count) {
          SplitBfloat16(WeightOf(row, token), WeightOf(row, token + 1), low);
          SplitBfloat16(WeightOf(row, token + 8), WeightOf(row, token + 9), high);
        }
        constexpr int kOrders = kInputTerms > Weights::kTerms ? kInputTerms : Weights::kTerms;
        SFUMATO_UNROLL
        for (int order = kOrders - 1; order >= 0; --order) {
          SFUMATO_UNROLL
          for (int term = 0; term < Weights::kTerms; ++term) {
            if (order - term < 0 || order - term >= kInputTerms) continue;
            const uint32_t right[2] = {low[order - term], high[order - term]};
            MultiplyBfloat16(sums[j], left[term], right);
          }
        }
      }
    }
    SFUMATO_UNROLL
    for (int j = 0; j < kRowTiles; ++j) {
      SFUMATO_UNROLL
      for (int i = 0; i < 4; ++i) {
        // Row r of the transposed fragment's upper half is inner number r / 2 * 4 + r % 2 of the tile, of the lower half
        // the one two after it.
        const int64_t r = Lane() / 4;
        const int64_t k = tile * kInnerTile + r / 2 * 4 + r % 2 + i / 2 * 2;
        const int64_t row = first + j * 8 + Lane() % 4 * 2 + i % 2;
        if (row < count && k < head.inner) mixtures[row * head.inner + k] += sums[j][i];
      }
    }
  }

 private:
  /// Of a token of the run; times the scale of its embedding, where that has one.
  SFUMATO_DEVICE float WeightOf(int64_t row, int64_t token) const {
    const float weight = weights[row * kMixedTokens + token];
    if constexpr (Weights::kOutputScales) return weight * head.scales[first_token + token];
    return weight;
  }
};

/// Zeros; one thread for each number.
struct FillKernel {
  static constexpr const char* kName = "fill";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<float> numbers;
  int64_t size;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t i = static_cast<int64_t>(BlockX()) * kThreads + ThreadIndex();
    if (i < size) numbers[i] = 0;
  }
};

/// Divides a candidate's mixture by its weights' sum and puts it in its place: one block for each candidate.
struct PlaceSoftEmbeddingKernel {
  static constexpr const char* kName = "place_soft_embedding";
  static constexpr int kThreads = kRowThreads;
  struct Shared {
    SharedArray<double, kThreads / kWarpThreads> sums;
  };

  CandidateStep step;
  Global<const Sequence> sequences;
  Global<const float> mixtures;  // [count, inner]
  Global<float> soft;            // [slots, canvas, inner]
  int64_t canvas;
  float scale;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t candidate = BlockX();
    const CandidateRow& row = step.rows[candidate];
    double sum = 0;
    for (int64_t tile = ThreadIndex(); tile < step.tiles; tile += kThreads)
      sum += step.tile_sums[candidate * step.tiles + tile].sum;
    const auto factor = static_cast<float>(scale / BlockSum(sum, shared.sums));
    if (!row.first_of_row) return;
    const Sequence& sequence = sequences[row.item];
    const int64_t inner = step.head.inner;
    const int64_t place = (sequence.slot * canvas + row.row - sequence.first_row) * inner;
    for (int64_t i = ThreadIndex(); i < inner; i += kThreads)
      soft[place + i] = mixtures[candidate * inner + i] * factor;
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_SOFT_EMBEDDING_KERNELS_H_
