#ifndef SFUMATO_CUDA_CANDIDATE_KERNELS_H_
#define SFUMATO_CUDA_CANDIDATE_KERNELS_H_

// Candidates of ops/candidates.h, for a group of them at a time. The head's products with their rows are there; the first
// pass makes logits of them, tile by tile, and keeps statistics; the second combines these in the order of the
// vocabulary and draws. Tiles and segments are cut by the vocabulary alone.

#include <cstdint>

#include "base/philox.h"
#include "cuda/candidate_step.h"
#include "cuda/simt.h"

namespace sfumato::cuda {

constexpr int kCandidateThreads = 128;

/// The first pass: x of the tiles of candidates, y of the segments.
struct MeasureKernel {
  static constexpr const char* kName = "measure";
  static constexpr int kThreads = kCandidateThreads;
  static constexpr int kRows = 64;
  struct Shared {
    SharedArray<float, kCandidateTile*(kRows + 1)> logits;
    SharedArray<float, kThreads> best;
    SharedArray<float, kThreads> second;
    SharedArray<int32_t, kThreads> best_token;
    SharedArray<float, kThreads> sum;
    SharedArray<float, kThreads> weighted_sum;
    SharedArray<float, SFUMATO_MAX_TOP_CANDIDATES * kThreads> ranked_logits;  // [rank, thread]
    SharedArray<int32_t, SFUMATO_MAX_TOP_CANDIDATES * kThreads> ranked_tokens;
  };
  /// Threads that share a candidate, and so the pieces of a segment.
  static constexpr int kShares = kThreads / kRows;
  static constexpr int kColumns = kCandidateTile / kShares;
  static constexpr int kWarpRows = kWarpThreads / kShares;

  CandidateStep step;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t first = static_cast<int64_t>(BlockX()) * kRows;
    const int64_t end = first + kRows < step.count ? first + kRows : step.count;
    const int index = ThreadIndex() / kShares;
    const int share = ThreadIndex() % kShares;
    const int64_t candidate = first + index;
    const bool there = candidate < end;
    SavePiece(shared, {-INFINITY, -INFINITY, -1, 0, 0});
    for (int rank = 0; rank < SFUMATO_MAX_TOP_CANDIDATES; ++rank) SaveRanked(shared, rank, {-INFINITY, -1});

    const int64_t first_tile = static_cast<int64_t>(BlockY()) * kSegmentTiles;
    const int64_t end_tile = first_tile + kSegmentTiles < step.tiles ? first_tile + kSegmentTiles : step.tiles;
    for (int64_t tile = first_tile; tile < end_tile; ++tile) {
      SyncWarp();
      ReadLogits(shared, first, end, tile);
      SyncWarp();
      TileSum sum = {-INFINITY, 0};
      if (there) sum = MeasureShare(shared, candidate, index, share, tile);
      // All lanes take part, those without a candidate with nothing.
      float maximum = sum.maximum;
      for (int mask = 1; mask < kShares; mask *= 2) maximum = fmaxf(maximum, ShuffleXor(maximum, mask));
      if (there && sum.maximum > -INFINITY)
        sum.sum *= expf(SamplingScale(step.rules[step.rows[candidate].item]) * (sum.maximum - maximum));
      for (int mask = 1; mask < kShares; mask *= 2) sum.sum += ShuffleXor(sum.sum, mask);
      if (there && share == 0) step.tile_sums[candidate * step.tiles + tile] = {maximum, sum.sum};
    }
    if (!there) return;
    const int64_t place = candidate * step.pieces + static_cast<int64_t>(BlockY()) * kShares + share;
    step.statistics[place] = SavedPiece(shared);
    for (int rank = 0; rank < step.top; ++rank) step.ranked[place * step.top + rank] = SavedRanked(shared, rank);
  }

 private:
  static SFUMATO_DEVICE void SavePiece(Shared& shared, const PieceStatistics& piece) {
    shared.best[ThreadIndex()] = piece.best;
    shared.second[ThreadIndex()] = piece.second;
    shared.best_token[ThreadIndex()] = piece.best_token;
    shared.sum[ThreadIndex()] = piece.sum;
    shared.weighted_sum[ThreadIndex()] = piece.weighted_sum;
  }
  static SFUMATO_DEVICE PieceStatistics SavedPiece(Shared& shared) {
    return {shared.best[ThreadIndex()], shared.second[ThreadIndex()], shared.best_token[ThreadIndex()],
            shared.sum[ThreadIndex()], shared.weighted_sum[ThreadIndex()]};
  }
  static SFUMATO_DEVICE void SaveRanked(Shared& shared, int rank, const RankedToken& ranked) {
    shared.ranked_logits[rank * kThreads + ThreadIndex()] = ranked.logit;
    shared.ranked_tokens[rank * kThreads + ThreadIndex()] = ranked.token;
  }
  static SFUMATO_DEVICE RankedToken SavedRanked(Shared& shared, int rank) {
    return {shared.ranked_logits[rank * kThreads + ThreadIndex()],
            shared.ranked_tokens[rank * kThreads + ThreadIndex()]};
  }

  static SFUMATO_DEVICE int Place(int column, int index) { return column * (kRows + 1) + index; }

  /// A tile's logits of the warp's candidates, which no other warp looks at; given out as they are before guidance where
  /// that is wanted.
  SFUMATO_DEVICE void ReadLogits(Shared& shared, int64_t first, int64_t end, int64_t tile) const {
    constexpr int kTogether = 8;  // loads on their way
    const int first_index = WarpIndex() * kWarpRows;
    for (int n = 0; n < kWarpRows * kCandidateTile / kWarpThreads; n += kTogether) {
      float logits[kTogether];
      SFUMATO_UNROLL
      for (int i = 0; i < kTogether; ++i) {
        const int64_t candidate = first + first_index + IndexOf(n + i);
        const int64_t token = tile * kCandidateTile + ColumnOf(n + i);
        logits[i] = -INFINITY;
        if (candidate < end && token < step.vocabulary) logits[i] = step.Unguided(candidate, token);
      }
      SFUMATO_UNROLL
      for (int i = 0; i < kTogether; ++i) {
        const int index = first_index + IndexOf(n + i);
        const int64_t token = tile * kCandidateTile + ColumnOf(n + i);
        if (first + index < end && token < step.vocabulary) {
          if (!step.logits.IsNull()) step.logits[step.rows[first + index].output * step.vocabulary + token] = logits[i];
          logits[i] = step.Guided(first + index, token, logits[i]);
        }
        shared.logits[Place(ColumnOf(n + i), index)] = logits[i];
      }
    }
  }
  /// The candidate of the warp, and the column, of a lane's nth logit of a tile.
  static SFUMATO_DEVICE int IndexOf(int n) { return n * kWarpThreads / kCandidateTile; }
  static SFUMATO_DEVICE int ColumnOf(int n) { return n * kWarpThreads % kCandidateTile + Lane(); }

  /// One thread's columns of a tile: adds to its piece and returns their weight for the draw.
  SFUMATO_DEVICE TileSum MeasureShare(Shared& shared, int64_t candidate, int index, int share, int64_t tile) const {
    const CandidateRow& row = step.rows[candidate];
    const CandidateRules& rules = step.rules[row.item];
    const int first_column = share * kColumns;
    const int64_t begin = tile * kCandidateTile + first_column;
    const int64_t left = step.vocabulary - begin;
    const int columns = left < kColumns ? (left < 0 ? 0 : static_cast<int>(left)) : kColumns;
    ReadLists(shared, candidate, row, rules, index, first_column, begin, columns);

    float best = -INFINITY;
    float second = -INFINITY;
    int32_t best_token = -1;
    for (int c = 0; c < columns; ++c) {
      const float logit = shared.logits[Place(first_column + c, index)];
      if (logit > best) {
        second = best;
        best = logit;
        best_token = static_cast<int32_t>(begin) + c;
      } else if (logit > second) {
        second = logit;
      }
    }
    const float scale = MeasuringScale(rules);
    const float sampling_scale = SamplingScale(rules);
    float sum = 0;
    float weighted_sum = 0;
    float sampling_sum = 0;
    for (int c = 0; c < columns; ++c) {
      const float logit = shared.logits[Place(first_column + c, index)];
      if (logit == -INFINITY) continue;
      const float shift = scale * (logit - best);
      const float weight = expf(shift);
      sum += weight;
      // The greatest numbers of float, at the least temperatures, times zero.
      if (weight > 0) weighted_sum += shift * weight;
      sampling_sum += scale == sampling_scale ? weight : expf(sampling_scale * (logit - best));
    }
    if (!(sum < INFINITY)) step.not_finite[0] = 1;
    if (best == -INFINITY) return {best, 0};
    PieceStatistics piece = SavedPiece(shared);
    Add(scale, {best, second, best_token, sum, weighted_sum}, piece);
    SavePiece(shared, piece);
    if (rules.top_count > 0 && best > SavedRanked(shared, rules.top_count - 1).logit)
      Rank(shared, index, first_column, begin, columns, rules.top_count);
    return {best, sampling_sum};
  }

  /// Suppressed tokens go, the token that stands there is noted, and so are unconfident ones, which go as well.
  SFUMATO_DEVICE void ReadLists(Shared& shared, int64_t candidate, const CandidateRow& row, const CandidateRules& rules,
                                int index, int first_column, int64_t begin, int columns) const {
    for (int i = 0; i < rules.suppressed_count; ++i) {
      const int64_t column = rules.suppressed[i] - begin;
      if (column >= 0 && column < columns)
        shared.logits[Place(first_column + static_cast<int>(column), index)] = -INFINITY;
    }
    const int64_t input = (row.token < 0 ? step.tokens[row.row] : row.token) - begin;
    if (input >= 0 && input < columns)
      step.input_logits[candidate] = shared.logits[Place(first_column + static_cast<int>(input), index)];
    for (int i = 0; i < rules.unconfident_count; ++i) {
      const int64_t column = rules.unconfident[i] - begin;
      if (column < 0 || column >= columns) continue;
      // Minus infinity for a token that is listed twice.
      step.unconfident_logits[candidate * SFUMATO_MAX_TOKEN_LIST + i] =
          shared.logits[Place(first_column + static_cast<int>(column), index)];
      shared.logits[Place(first_column + static_cast<int>(column), index)] = -INFINITY;
    }
  }

  SFUMATO_DEVICE void Add(float scale, const PieceStatistics& tile, PieceStatistics& piece) const {
    const float maximum = fmaxf(piece.best, tile.best);
    float sum = 0;
    float weighted_sum = 0;
    SFUMATO_UNROLL
    for (int i = 0; i < 2; ++i) {
      const PieceStatistics& part = i == 0 ? piece : tile;
      if (part.best == -INFINITY) continue;
      const float shift = scale * (part.best - maximum);
      const float factor = expf(shift);
      if (factor == 0) continue;
      sum += factor * part.sum;
      weighted_sum += factor * (part.weighted_sum + shift * part.sum);
    }
    if (tile.best > piece.best) {
      piece.second = fmaxf(piece.best, tile.second);
      piece.best = tile.best;
      piece.best_token = tile.best_token;
    } else {
      piece.second = fmaxf(piece.second, tile.best);
    }
    piece.sum = sum;
    piece.weighted_sum = weighted_sum;
  }

  SFUMATO_DEVICE void Rank(Shared& shared, int index, int first_column, int64_t begin, int columns, int top) const {
    for (int c = 0; c < columns; ++c) {
      const RankedToken offered = {shared.logits[Place(first_column + c, index)], static_cast<int32_t>(begin) + c};
      if (!(offered.logit > SavedRanked(shared, top - 1).logit)) continue;
      int rank = top - 1;
      for (; rank > 0 && offered.logit > SavedRanked(shared, rank - 1).logit; --rank)
        SaveRanked(shared, rank, SavedRanked(shared, rank - 1));
      SaveRanked(shared, rank, offered);
    }
  }
};

/// The second pass: one block for each candidate.
struct FinishKernel {
  static constexpr const char* kName = "finish";
  static constexpr int kThreads = kCandidateThreads;
  static constexpr int kWarps = kThreads / kWarpThreads;
  struct Shared {
    SharedArray<double, kThreads> chunks;
    SharedArray<double, kCandidateTile> weights;
    SharedArray<double, kWarps> slots[2];
    SharedArray<float, kWarps> bests;
    SharedArray<float, kWarps> seconds;
    SharedArray<int32_t, kWarps> tokens;
    SharedArray<float, kCandidateTile> tile_logits;
    SharedArray<int32_t, 1> chosen;
  };

  CandidateStep step;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int64_t candidate = BlockX();
    const CandidateRow& row = step.rows[candidate];
    const CandidateRules& rules = step.rules[row.item];
    const double scale = MeasuringScale(rules);

    // The confident tokens, and with the unconfident ones the whole distribution; sums relative to each one's maximum.
    Best best = {-INFINITY, -1, -INFINITY};
    for (int64_t i = ThreadIndex(); i < step.pieces; i += kThreads) {
      const PieceStatistics piece = step.statistics[candidate * step.pieces + i];
      if (piece.best_token >= 0) Offer(piece.best, piece.best_token, piece.second, best);
    }
    best = BestOfBlock(shared, best);
    const double confident_maximum = best.logit;
    double sum = 0;
    double weighted_sum = 0;
    for (int64_t i = ThreadIndex(); i < step.pieces; i += kThreads) {
      const PieceStatistics piece = step.statistics[candidate * step.pieces + i];
      if (piece.best_token < 0) continue;
      const double shift = scale * (piece.best - confident_maximum);
      const double factor = exp(shift);
      sum += factor * piece.sum;
      weighted_sum += factor * (piece.weighted_sum + shift * piece.sum);
    }
    const double confident_sum = BlockSum(sum, shared.slots[0]);
    const double confident_weighted_sum = BlockSum(weighted_sum, shared.slots[1]);

    bool best_confident = true;
    bool second_confident = true;
    float maximum = best.logit;
    for (int i = 0; i < rules.unconfident_count; ++i) maximum = fmaxf(maximum, Unconfident(candidate, i));
    double whole_sum = 0;
    double whole_weighted_sum = 0;
    if (confident_sum > 0) {
      const double shift = scale * (confident_maximum - maximum);
      whole_sum = exp(shift) * confident_sum;
      whole_weighted_sum = exp(shift) * (confident_weighted_sum + shift * confident_sum);
    }
    for (int i = 0; i < rules.unconfident_count; ++i) {
      const float logit = Unconfident(candidate, i);
      if (logit == -INFINITY) continue;
      const double shift = scale * (static_cast<double>(logit) - maximum);
      whole_sum += exp(shift);
      whole_weighted_sum += shift * exp(shift);
      if (best.token < 0 || Before(logit, rules.unconfident[i], best.logit, best.token)) {
        second_confident = best_confident;
        best = {logit, rules.unconfident[i], best.logit};
        best_confident = false;
      } else if (logit > best.second) {
        best.second = logit;
        second_confident = false;
      }
    }
    if (best.token < 0 || !(fabsf(maximum) < INFINITY) || !(whole_sum < INFINITY)) {
      if (ThreadIndex() == 0) step.not_finite[0] = 1;
      return;
    }

    if (!step.maxima.IsNull()) {
      float greatest = maximum;
      for (int i = Lane(); i < rules.suppressed_count; i += kWarpThreads)
        greatest = fmaxf(greatest, step.Logit(candidate, rules.suppressed[i]));
      greatest = WarpMaximum(greatest);
      if (ThreadIndex() == 0) step.maxima[candidate] = greatest;
    }

    RankedToken sampled = {best.logit, best.token};
    if (rules.temperature > 0) sampled = Draw(shared, candidate, row, rules, maximum);
    const auto confidence = [&](float logit, bool confident) {
      if (!confident || confident_sum <= 0) return 0.0f;
      return static_cast<float>(exp(scale * (logit - confident_maximum)) / confident_sum);
    };
    const auto probability = [&](float logit) {
      return static_cast<float>(exp(scale * (static_cast<double>(logit) - maximum)) / whole_sum);
    };
    CandidateResult& result = step.results[candidate];
    if (ThreadIndex() == 0) {
      result.sampled_token = sampled.token;
      result.sampled_probability =
          confidence(sampled.logit, !Contains(rules.unconfident, rules.unconfident_count, sampled.token));
      result.best_token = best.token;
      result.best_probability = confidence(best.logit, best_confident);
      result.second_probability = confidence(best.second, second_confident);
      const double entropy = log(whole_sum) - whole_weighted_sum / whole_sum;
      result.entropy = entropy > 0 ? static_cast<float>(entropy) : 0.0f;
      result.input_probability = probability(step.input_logits[candidate]);
    }
    RankedToken last = {INFINITY, -1};
    for (int place = 0; place < rules.top_count; ++place) {
      last = NextRanked(shared, candidate, rules, last);
      if (ThreadIndex() != 0) continue;
      result.top_tokens[place] = last.token;
      result.top_probabilities[place] = last.token < 0 ? 0.0f : probability(last.logit);
    }
  }

 private:
  struct Best {
    float logit;
    int32_t token;  // -1 for none
    float second;
  };

  SFUMATO_DEVICE float Unconfident(int64_t candidate, int i) const {
    return step.unconfident_logits[candidate * SFUMATO_MAX_TOKEN_LIST + i];
  }

  static SFUMATO_DEVICE void Offer(float logit, int32_t token, float second, Best& best) {
    if (best.token < 0 || Before(logit, token, best.logit, best.token)) {
      best.second = fmaxf(best.logit, second);
      best.logit = logit;
      best.token = token;
    } else {
      best.second = fmaxf(best.second, logit);
    }
  }

  static SFUMATO_DEVICE Best BestOfBlock(Shared& shared, Best best) {
    for (int mask = kWarpThreads / 2; mask > 0; mask /= 2) {
      const float logit = ShuffleXor(best.logit, mask);
      const int32_t token = ShuffleXor(best.token, mask);
      const float second = ShuffleXor(best.second, mask);
      if (token >= 0) Offer(logit, token, second, best);
    }
    SyncBlock();
    if (Lane() == 0) {
      shared.bests[WarpIndex()] = best.logit;
      shared.tokens[WarpIndex()] = best.token;
      shared.seconds[WarpIndex()] = best.second;
    }
    SyncBlock();
    best = {-INFINITY, -1, -INFINITY};
    for (int warp = 0; warp < kWarps; ++warp) {
      const int32_t token = shared.tokens[warp];
      if (token >= 0) Offer(shared.bests[warp], token, shared.seconds[warp], best);
    }
    return best;
  }

  /// The draw's weight of a tile, unconfident tokens included.
  SFUMATO_DEVICE double TileWeight(int64_t candidate, const CandidateRules& rules, double scale, double maximum,
                                   int64_t tile) const {
    const TileSum sum = step.tile_sums[candidate * step.tiles + tile];
    double weight = sum.maximum == -INFINITY ? 0.0 : sum.sum * exp(scale * (sum.maximum - maximum));
    for (int i = 0; i < rules.unconfident_count; ++i) {
      const float logit = Unconfident(candidate, i);
      if (rules.unconfident[i] / kCandidateTile == tile && logit != -INFINITY) weight += exp(scale * (logit - maximum));
    }
    return weight;
  }

  /// For the first thread, the smallest token whose cumulative probability is above the candidate's uniform number.
  SFUMATO_DEVICE RankedToken Draw(Shared& shared, int64_t candidate, const CandidateRow& row,
                                  const CandidateRules& rules, double maximum) const {
    const double scale = SamplingScale(rules);
    const int64_t chunk_tiles = (step.tiles + kThreads - 1) / kThreads;
    double weight = 0;
    for (int64_t tile = ThreadIndex() * chunk_tiles; tile < (ThreadIndex() + 1) * chunk_tiles; ++tile) {
      if (tile < step.tiles) weight += TileWeight(candidate, rules, scale, maximum, tile);
    }
    shared.chunks[ThreadIndex()] = weight;
    SyncBlock();
    double target = 0;
    double before = 0;  // the weight of the tokens before the chosen tile's
    if (ThreadIndex() == 0) {
      double total = 0;
      SFUMATO_UNROLL_LITTLE
      for (int i = 0; i < kThreads; ++i) total += shared.chunks[i];
      target = static_cast<double>(Uniform(rules.seed, static_cast<uint32_t>(step.positions[row.row]), rules.step,
                                           rules.block, RandomPurpose::kTokenSampling)) *
               total;
      shared.chosen[0] = FindTile(shared, candidate, rules, scale, maximum, chunk_tiles, target, before);
    }
    SyncBlock();
    const int64_t chosen = shared.chosen[0];
    const int64_t begin = chosen * kCandidateTile;
    if (ThreadIndex() < kCandidateTile) {
      const int column = ThreadIndex();
      const int64_t token = begin + column;
      float logit = -INFINITY;
      if (token < step.vocabulary && !Contains(rules.suppressed, rules.suppressed_count, static_cast<int32_t>(token)))
        logit = step.Logit(candidate, token);
      shared.tile_logits[column] = logit;
      shared.weights[column] = logit == -INFINITY ? 0.0 : exp(scale * (logit - maximum));
    }
    SyncBlock();
    RankedToken sampled = {-INFINITY, -1};
    if (ThreadIndex() != 0) return sampled;
    SFUMATO_UNROLL_LITTLE
    for (int column = 0; column < kCandidateTile; ++column) {
      const double token_weight = shared.weights[column];
      if (token_weight <= 0) continue;
      sampled = {shared.tile_logits[column], static_cast<int32_t>(begin) + column};
      before += token_weight;
      if (before > target) break;
    }
    return sampled;
  }

  /// The tile that the target lies in, and the weight before it. Where rounding leaves the target beyond the last weight,
  /// the last tile with any.
  SFUMATO_DEVICE int32_t FindTile(Shared& shared, int64_t candidate, const CandidateRules& rules, double scale,
                                  double maximum, int64_t chunk_tiles, double target, double& before) const {
    double sum = 0;
    int64_t chunk = 0;
    SFUMATO_UNROLL_LITTLE
    for (int i = 0; i < kThreads; ++i) {
      const double weight = shared.chunks[i];
      if (weight <= 0) continue;
      chunk = i;
      before = sum;
      sum += weight;
      if (sum > target) break;
    }
    sum = before;
    int64_t chosen = chunk * chunk_tiles;
    for (int64_t tile = chosen; tile < (chunk + 1) * chunk_tiles && tile < step.tiles; ++tile) {
      const double weight = TileWeight(candidate, rules, scale, maximum, tile);
      if (weight <= 0) continue;
      chosen = tile;
      before = sum;
      sum += weight;
      if (sum > target) break;
    }
    return static_cast<int32_t>(chosen);
  }

  /// The first token after the last one by logit and id; token -1 when there is none.
  SFUMATO_DEVICE RankedToken NextRanked(Shared& shared, int64_t candidate, const CandidateRules& rules,
                                        const RankedToken& last) const {
    Best next = {-INFINITY, -1, -INFINITY};
    const auto offer = [&](float logit, int32_t token) {
      if (token < 0 || logit == -INFINITY || !Before(last.logit, last.token, logit, token)) return;
      Offer(logit, token, -INFINITY, next);
    };
    const int64_t entries = step.pieces * step.top;
    for (int64_t i = ThreadIndex(); i < entries; i += kThreads) {
      const RankedToken& ranked = step.ranked[candidate * entries + i];
      offer(ranked.logit, ranked.token);
    }
    if (ThreadIndex() < rules.unconfident_count)
      offer(Unconfident(candidate, ThreadIndex()), rules.unconfident[ThreadIndex()]);
    next = BestOfBlock(shared, next);
    return {next.logit, next.token};
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CANDIDATE_KERNELS_H_
