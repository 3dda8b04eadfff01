#ifndef SFUMATO_CUDA_CANDIDATE_STEP_H_
#define SFUMATO_CUDA_CANDIDATE_STEP_H_

// What the kernels of candidates (candidate_kernels.h, soft_embedding_kernels.h) share: a group of candidates, and the head's
// products with their rows.

#include <cstdint>

#include "cuda/row_kernels.h"
#include "cuda/simt.h"
#include "ops/step_layout.h"

namespace sfumato::cuda {

/// Tokens of a tile. Its weight is what the draw finds it by.
constexpr int kCandidateTile = 64;
/// Tiles whose statistics are kept together, by one block.
constexpr int kSegmentTiles = 16;

/// Sum of exp(sampling scale (logit - maximum)) of a row's tile.
struct TileSum {
  float maximum;
  float sum;
};

/// Statistics of a row over some tokens; sums are relative to best.
struct PieceStatistics {
  float best;
  float second;
  int32_t best_token;
  float sum;           // of exp(scale (logit - best))
  float weighted_sum;  // of scale (logit - best) exp(scale (logit - best))
};

struct RankedToken {
  float logit;
  int32_t token;
};

struct CandidateResult {
  int32_t sampled_token;
  float sampled_probability;
  int32_t best_token;
  float best_probability;
  float second_probability;
  float entropy;
  float input_probability;
  int32_t top_tokens[SFUMATO_MAX_TOP_CANDIDATES];
  float top_probabilities[SFUMATO_MAX_TOP_CANDIDATES];
};

SFUMATO_DEVICE bool Before(float logit, int32_t token, float other_logit, int32_t other_token) {
  return logit > other_logit || (logit == other_logit && token < other_token);
}

SFUMATO_DEVICE float SamplingScale(const CandidateRules& rules) {
  return rules.temperature > 0 ? 1.0f / rules.temperature : 1.0f;
}
SFUMATO_DEVICE float MeasuringScale(const CandidateRules& rules) {
  return rules.tempered_probabilities ? SamplingScale(rules) : 1.0f;
}

SFUMATO_DEVICE bool Contains(const int32_t (&tokens)[SFUMATO_MAX_TOKEN_LIST], int32_t count, int32_t token) {
  for (int32_t i = 0; i < count; ++i) {
    if (tokens[i] == token) return true;
  }
  return false;
}

/// What all passes know of a group.
struct CandidateStep {
  int64_t count;                    // of the group's candidates
  Global<const CandidateRow> rows;  // [count]
  /// The candidates' rows times the head; their guides' rows begin at row guides. Rows have whole tiles.
  Global<const float> products;  // [.., tiles, kCandidateTile]
  int64_t guides;
  int64_t vocabulary;
  int64_t tiles;
  Global<const float> bias;  // [vocabulary] or null
  float cap;
  Global<const CandidateRules> rules;
  Global<const int32_t> tokens;
  Global<const int32_t> positions;
  int64_t pieces;  // of each candidate
  int32_t top;
  Global<TileSum> tile_sums;           // [count, tiles]
  Global<PieceStatistics> statistics;  // [count, pieces]
  Global<RankedToken> ranked;          // [count, pieces, top]
  Global<float> input_logits;          // [count]
  Global<float> unconfident_logits;    // [count, SFUMATO_MAX_TOKEN_LIST]
  Global<float> maxima;                // [count] greatest logit, suppressed ones included; or null
  Global<float> logits;                // [.., vocabulary] by CandidateRow::output, or null
  Global<int32_t> not_finite;          // [1]
  Global<CandidateResult> results;     // [count]

  SFUMATO_DEVICE int64_t Place(int64_t row, int64_t token) const { return row * tiles * kCandidateTile + token; }

  /// Before temperature, suppression and guidance, of a product's row.
  SFUMATO_DEVICE float Unguided(int64_t row, int64_t token) const {
    float logit = products[Place(row, token)];
    if (!bias.IsNull()) logit += bias[token];
    return cap > 0 ? cap * tanhf(logit / cap) : logit;
  }

  /// Before temperature and suppression. own: Unguided of the candidate itself.
  SFUMATO_DEVICE float Guided(int64_t candidate, int64_t token, float own) const {
    const CandidateRow& row = rows[candidate];
    if (row.guide < 0) return own;
    const float guide = Unguided(guides + candidate, token);
    return guide + (rules[row.item].guidance_scale + 1.0f) * (own - guide);
  }

  SFUMATO_DEVICE float Logit(int64_t candidate, int64_t token) const {
    return Guided(candidate, token, Unguided(candidate, token));
  }
};

/// The rows that the head is multiplied with: those of the candidates, then, from row count on, those of their guides; x of
/// them. Any row does for a candidate without a guide.
struct GatherCandidatesKernel {
  static constexpr const char* kName = "gather_candidates";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const CandidateRow> rows;  // [count]
  int64_t count;
  Input hidden;  // [selected rows, width]
  int64_t width;
  Output gathered;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const bool own = BlockX() < count;
    const CandidateRow& row = rows[own ? BlockX() : BlockX() - count];
    const int64_t source = (own || row.guide < 0 ? row.selected : row.guide) * width;
    const int64_t target = BlockX() * width;
    for (int64_t i = ThreadIndex(); i < width; i += kThreads) {
      if (hidden.floats.IsNull()) {
        gathered.bfloat16s[target + i] = hidden.bfloat16s[source + i];
      } else {
        gathered.floats[target + i] = hidden.floats[source + i];
      }
    }
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CANDIDATE_STEP_H_
