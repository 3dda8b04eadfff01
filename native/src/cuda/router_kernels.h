#ifndef SFUMATO_CUDA_ROUTER_KERNELS_H_
#define SFUMATO_CUDA_ROUTER_KERNELS_H_

// The choice of experts and the sum of what they say; see ops/experts.h.

#include <cstdint>

#include "cuda/row_kernels.h"
#include "cuda/simt.h"
#include "ops/experts.h"

namespace sfumato::cuda {

/// Whether number a, of index i, is chosen before number b, of index j: the greater one, the first of equals,
/// not-a-number last.
SFUMATO_DEVICE bool Precedes(float a, int i, float b, int j) {
  if (a != a || b != b) return (a != a) == (b != b) ? i < j : b != b;
  return a != b ? a > b : i < j;
}

/// One warp for each row.
struct RouteKernel {
  static constexpr const char* kName = "route";
  static constexpr int kThreads = kWarpThreads;
  struct Shared {
    SharedArray<float, kMaxExperts> scores;
    /// Scores by which experts are chosen.
    SharedArray<float, kMaxExperts> eligible;
    SharedArray<float, kMaxExperts> group_scores;
    SharedArray<int32_t, kMaxExperts> taken;
    SharedArray<float, kMaxExperts> weights;
  };

  bool sigmoid;
  int32_t experts;
  int32_t chosen;
  Global<const float> bias;
  bool bias_weighs;
  int32_t groups;
  int32_t chosen_groups;
  bool normalized;
  float scale;
  Global<const float> expert_scale;
  Global<const float> logits;      // [rows, experts]
  Global<int32_t> chosen_experts;  // [rows, chosen]
  Global<float> chosen_weights;    // [rows, chosen]

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    Score(shared);
    SyncWarp();
    if (groups > 1) DropGroups(shared);
    SyncWarp();
    for (int i = 0; i < chosen; ++i) {
      // Each lane reads and writes what is taken among its own experts only.
      const int best = BestOfWarp(shared);
      if (Lane() == best % kWarpThreads) shared.taken[best] = 1;
    }
    WriteChosen(shared);
  }

 private:
  SFUMATO_DEVICE void Score(Shared& shared) const {
    const int64_t row = static_cast<int64_t>(BlockX()) * experts;
    float best = -INFINITY;
    for (int e = Lane(); e < experts; e += kWarpThreads) best = fmaxf(best, logits[row + e]);
    best = WarpMaximum(best);
    float sum = 0;
    for (int e = Lane(); e < experts; e += kWarpThreads) {
      const float score = sigmoid ? 1.0f / (1.0f + expf(-logits[row + e])) : expf(logits[row + e] - best);
      shared.scores[e] = score;
      sum += score;
    }
    sum = WarpSum(sum);
    for (int e = Lane(); e < experts; e += kWarpThreads) {
      float score = shared.scores[e];
      if (!sigmoid) score /= sum;
      const float biased = bias.IsNull() ? score : score + bias[e];
      shared.scores[e] = bias_weighs ? biased : score;
      shared.eligible[e] = biased;
      shared.taken[e] = 0;
    }
  }

  /// Makes the experts of all groups but the best ones ineligible.
  SFUMATO_DEVICE void DropGroups(Shared& shared) const {
    const int size = experts / groups;
    for (int group = Lane(); group < groups; group += kWarpThreads) {
      float best = shared.eligible[group * size];
      float second = -INFINITY;
      for (int i = 1; i < size; ++i) {
        const float score = shared.eligible[group * size + i];
        second = fmaxf(second, fminf(best, score));
        best = fmaxf(best, score);
      }
      shared.group_scores[group] = size == 1 ? best : best + second;
    }
    SyncWarp();
    for (int group = Lane(); group < groups; group += kWarpThreads) {
      int rank = 0;
      for (int other = 0; other < groups; ++other) {
        if (other != group && Precedes(shared.group_scores[other], other, shared.group_scores[group], group)) ++rank;
      }
      if (rank < chosen_groups) continue;
      for (int i = 0; i < size; ++i) shared.eligible[group * size + i] = -INFINITY;
    }
  }

  /// The best expert that is not taken yet.
  SFUMATO_DEVICE int BestOfWarp(Shared& shared) const {
    float best = NAN;
    int index = experts;
    for (int e = Lane(); e < experts; e += kWarpThreads) {
      if (shared.taken[e] != 0) continue;
      const float score = shared.eligible[e];
      if (index == experts || Precedes(score, e, best, index)) {
        best = score;
        index = e;
      }
    }
    for (int mask = kWarpThreads / 2; mask > 0; mask /= 2) {
      const float other = ShuffleXor(best, mask);
      const int other_index = ShuffleXor(index, mask);
      if (other_index < experts && (index == experts || Precedes(other, other_index, best, index))) {
        best = other;
        index = other_index;
      }
    }
    return index;
  }

  SFUMATO_DEVICE void WriteChosen(Shared& shared) const {
    const int64_t row = static_cast<int64_t>(BlockX()) * chosen;
    int place = 0;
    for (int base = 0; base < experts; base += kWarpThreads) {
      const int e = base + Lane();
      const bool mine = e < experts && shared.taken[e] != 0;
      const uint32_t lanes = Ballot(mine);
      if (mine) {
        const int at = place + CountBits(lanes & ((1u << Lane()) - 1));
        chosen_experts[row + at] = e;
        shared.weights[at] = shared.scores[e];
      }
      place += CountBits(lanes);
    }
    SyncWarp();
    float sum = 0;
    for (int i = 0; i < chosen; ++i) sum += shared.weights[i];
    SyncWarp();
    for (int i = Lane(); i < chosen; i += kWarpThreads) {
      float weight = shared.weights[i];
      if (normalized) weight /= sum;
      weight *= scale;
      if (!expert_scale.IsNull()) weight *= expert_scale[chosen_experts[row + i]];
      chosen_weights[row + i] = weight;
    }
  }
};

/// Gives every choice a place so that those of one expert lie together, in the order of rows. One warp for each expert.
struct PlaceKernel {
  static constexpr const char* kName = "place";
  static constexpr int kThreads = kWarpThreads;
  using Shared = NoShared;

  Global<const int32_t> experts;  // [choices]
  int64_t choices;
  int64_t chosen;
  Global<int32_t> places;       // [choices]
  Global<int32_t> rows_placed;  // [choices]
  Global<int32_t> ends;         // [experts]

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int expert = BlockX();
    int place = 0;
    for (int64_t base = 0; base < choices; base += kWarpThreads) {
      const int64_t i = base + Lane();
      place += CountBits(Ballot(i < choices && experts[i] < expert));
    }
    for (int64_t base = 0; base < choices; base += kWarpThreads) {
      const int64_t i = base + Lane();
      const bool mine = i < choices && experts[i] == expert;
      const uint32_t lanes = Ballot(mine);
      if (mine) {
        const int at = place + CountBits(lanes & ((1u << Lane()) - 1));
        places[i] = at;
        rows_placed[at] = static_cast<int32_t>(i / chosen);
      }
      place += CountBits(lanes);
    }
    if (Lane() == 0) ends[expert] = place;
  }
};

/// One thread for each number: x along the row, y of the rows.
struct CombineKernel {
  static constexpr const char* kName = "combine";
  static constexpr int kThreads = kRowThreads;
  using Shared = NoShared;

  Global<const float> input;  // [rows * chosen, width]
  Global<const int32_t> places;
  Global<const float> weights;
  int64_t chosen;
  int64_t width;
  bool add;
  Global<float> output;  // [rows, width]

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t column = static_cast<int64_t>(BlockY()) * kThreads + ThreadIndex();
    if (column >= width) return;
    const int64_t row = BlockX();
    float sum = add ? output[row * width + column] : 0.0f;
    for (int64_t i = row * chosen; i < (row + 1) * chosen; ++i) sum += weights[i] * input[places[i] * width + column];
    output[row * width + column] = sum;
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_ROUTER_KERNELS_H_
