#ifndef SFUMATO_CPU_ATTENTION_KERNEL_H_
#define SFUMATO_CPU_ATTENTION_KERNEL_H_

#include "cpu/kernels.h"
#include "cpu/tile.h"
#include "cpu/transpose.h"

namespace sfumato::cpu {
namespace {

// Queries lie in the lanes and keys in the rows: maxima and sums over the keys need no work across lanes. A block of
// keys and values is copied together once, from pages or from the step's own rows, and serves several panels of
// queries.

/// Rows of the transposed values are this far apart: one more than the block, so that they don't meet in one cache set.
constexpr int64_t kValueStride = kAttentionBlock + 1;

/// scores[key, query] = keys times queries, and the running maximum of each query.
struct ScoreProduct {
  const float* keys;     // [keys, head_dim]
  const float* queries;  // [head_dim, panel width]
  int64_t head_dim;
  float* scores;
  Vec low_maximum;
  Vec high_maximum;

  template <int kRows>
  void Run(int64_t key) {
    Sums<kRows> sums;
    Zero(sums);
    MultiplyPanel<kRows>(keys + key * head_dim, head_dim, queries, head_dim, sums);
    StoreSums(sums, scores + key * kPanelWidth, kPanelWidth);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      low_maximum = Max(low_maximum, sums.low[r]);
      high_maximum = Max(high_maximum, sums.high[r]);
    }
  }
};

/// mix[dimension, query] += transposed values times weights.
struct ValueProduct {
  const float* values;   // [head_dim, keys]
  const float* weights;  // [keys, panel width]
  int64_t keys;
  float* mix;

  template <int kRows>
  void Run(int64_t dimension) {
    Sums<kRows> sums;
    LoadSums(mix + dimension * kPanelWidth, kPanelWidth, sums);
    MultiplyPanel<kRows>(values + dimension * kValueStride, kValueStride, weights, keys, sums);
    StoreSums(sums, mix + dimension * kPanelWidth, kPanelWidth);
  }
};

/// mix[dimension, row] += the panel's weights of its outputs times what each row gives each output.
struct PanelMixture {
  const float* panel;    // [inner, panel width]
  const float* weights;  // [panel width, panel width]: of an output, for each row
  float* mix;            // [inner, panel width]

  template <int kRows>
  void Run(int64_t dimension) {
    Sums<kRows> sums;
    LoadSums(mix + dimension * kPanelWidth, kPanelWidth, sums);
    MultiplyPanel<kRows>(panel + dimension * kPanelWidth, kPanelWidth, weights, kPanelWidth, sums);
    StoreSums(sums, mix + dimension * kPanelWidth, kPanelWidth);
  }
};

void MixPanel(const float* panel, int64_t inner, const float* weights, float* mix) {
  PanelMixture mixture{panel, weights, mix};
  ForRowGroups(inner, mixture);
}

/// Copies keys first..end-1, and their values transposed. Key k is row k of the pages, but where the own tokens stand.
inline void GatherBlock(const AttentionTile& tile, int64_t first, int64_t end, float* keys, float* values) {
  const int64_t own_end = tile.context_tokens + tile.own_tokens;
  for (int64_t key = first; key < end;) {
    const float* source_keys = tile.keys + (key - tile.context_tokens) * tile.own_stride;
    const float* source_values = tile.values + (key - tile.context_tokens) * tile.own_stride;
    int64_t stride = tile.own_stride;
    int64_t count = (key < own_end && end > own_end ? own_end : end) - key;
    if (key < tile.context_tokens || key >= own_end) {
      const int64_t within = key % tile.page_tokens;
      const int64_t place = tile.pages[key / tile.page_tokens] * tile.page_stride + within * tile.page_row_stride;
      source_keys = tile.page_keys + place;
      source_values = tile.page_values + place;
      stride = tile.page_row_stride;
      if (count > tile.page_tokens - within) count = tile.page_tokens - within;
      if (key < tile.context_tokens && count > tile.context_tokens - key) count = tile.context_tokens - key;
    }
    const int64_t at = key - first;
    for (int64_t i = 0; i < count; ++i) {
      __builtin_memcpy(keys + (at + i) * tile.head_dim, source_keys + i * stride,
                       static_cast<uint64_t>(tile.head_dim) * sizeof(float));
    }
    Transpose(source_values, stride, count, tile.head_dim, values + at, kValueStride);
    key += count;
  }
}

/// The limits of one half of a panel; lanes without a query get the fill.
inline Vec LimitsOf(const float* limits, int64_t half, int64_t queries, float fill) {
  const int64_t count = queries - half;
  if (count >= kLanes) return Load(limits + half);
  return LoadPart(limits + (count > 0 ? half : 0), count > 0 ? count : 0, fill);
}

/// Hides keys from the queries that don't see them.
inline void HideKeys(const float* first_visible, const float* end_visible, int64_t queries, int64_t first_key,
                     int64_t keys, float* scores) {
  const Vec hidden = Set(-kInfinity);
  for (int64_t half = 0; half < kPanelWidth; half += kLanes) {
    const Vec first = LimitsOf(first_visible, half, queries, 0.0f);
    const Vec end = LimitsOf(end_visible, half, queries, kInfinity);
    for (int64_t k = 0; k < keys; ++k) {
      float* p = scores + k * kPanelWidth + half;
      const Vec key = Set(static_cast<float>(first_key + k));
      Store(p, SelectLess(key, end, SelectLess(key, first, hidden, Load(p)), hidden));
    }
  }
}

inline Vec MaximumOf(const float* scores, int64_t keys, Vec maximum) {
  for (int64_t k = 0; k < keys; ++k) maximum = Max(maximum, Load(scores + k * kPanelWidth));
  return maximum;
}

/// Turns one half's scores into powers of two relative to the new maximum, and rescales what was summed before.
inline void UpdateSoftmax(int64_t keys, int64_t head_dim, Vec maximum, float* scores, float* maxima, float* totals,
                          float* mix) {
  const Vec rescale = ExpBaseTwo(Load(maxima) - maximum);
  Vec total = Load(totals) * rescale;
  for (int64_t k = 0; k < keys; ++k) {
    float* p = scores + k * kPanelWidth;
    const Vec e = ExpBaseTwo(Load(p) - maximum);
    Store(p, e);
    total = total + e;
  }
  Store(maxima, maximum);
  Store(totals, total);
  for (int64_t d = 0; d < head_dim; ++d) Store(mix + d * kPanelWidth, Load(mix + d * kPanelWidth) * rescale);
}

/// One panel's share of the scratch.
struct PanelState {
  float* queries;  // [head_dim, panel width]
  float* mix;      // [head_dim, panel width]
  float* maxima;   // [panel width]
  float* totals;   // [panel width]
};

inline PanelState StateOf(float* states, int64_t panel, int64_t head_dim) {
  const int64_t size = head_dim * kPanelWidth;
  float* state = states + panel * 2 * (size + kPanelWidth);
  return {state, state + size, state + 2 * size, state + 2 * size + kPanelWidth};
}

inline int64_t QueriesOf(const AttentionTile& tile, int64_t panel) {
  const int64_t rest = tile.query_count - panel * kPanelWidth;
  return rest < kPanelWidth ? rest : kPanelWidth;
}

inline void StartPanel(const AttentionTile& tile, int64_t panel, const PanelState& state) {
  const int64_t queries = QueriesOf(tile, panel);
  for (int64_t i = 0; i < tile.head_dim * kPanelWidth; ++i) state.mix[i] = 0.0f;
  if (queries < kPanelWidth) {
    for (int64_t i = 0; i < tile.head_dim * kPanelWidth; ++i) state.queries[i] = 0.0f;
  }
  Transpose(tile.queries + panel * kPanelWidth * tile.query_stride, tile.query_stride, queries, tile.head_dim,
            state.queries, kPanelWidth);
  // Scores in units of log 2, so that weights are powers of two.
  const Vec scale = Set(tile.scale * 1.44269504f);
  for (int64_t i = 0; i < tile.head_dim * kPanelWidth; i += kLanes) {
    Store(state.queries + i, Load(state.queries + i) * scale);
  }
  for (int64_t half = 0; half < kPanelWidth; half += kLanes) {
    Store(state.maxima + half, Set(kLowest));
    Store(state.totals + half, Set(0.0f));
  }
}

inline void FinishPanel(const AttentionTile& tile, int64_t panel, const PanelState& state) {
  for (int64_t half = 0; half < kPanelWidth; half += kLanes) {
    const Vec norm = Set(1.0f) / Load(state.totals + half);
    for (int64_t d = 0; d < tile.head_dim; ++d) {
      float* p = state.mix + d * kPanelWidth + half;
      Store(p, Load(p) * norm);
    }
  }
  float* output = tile.output + panel * kPanelWidth * tile.output_stride;
  Transpose(state.mix, kPanelWidth, tile.head_dim, QueriesOf(tile, panel), output, tile.output_stride);
}

void Attention(const AttentionTile& tile) {
  float* keys = tile.scratch;                              // [block, head_dim]
  float* values = keys + kAttentionBlock * tile.head_dim;  // [head_dim, block]
  float* scores = values + tile.head_dim * kValueStride;
  scores += (16 - (scores - tile.scratch) % 16) % 16;  // at the start of a cache line
  float* states = scores + kAttentionBlock * kPanelWidth;

  const int64_t panels = (tile.query_count + kPanelWidth - 1) / kPanelWidth;
  for (int64_t panel = 0; panel < panels; ++panel) StartPanel(tile, panel, StateOf(states, panel, tile.head_dim));
  // Blocks are counted from the first key of the sequence, seen or not.
  for (int64_t begin = tile.first_key / kAttentionBlock * kAttentionBlock; begin < tile.end_key;
       begin += kAttentionBlock) {
    const int64_t count = tile.end_key - begin < kAttentionBlock ? tile.end_key - begin : kAttentionBlock;
    GatherBlock(tile, begin, begin + count, keys, values);
    for (int64_t panel = 0; panel < panels; ++panel) {
      const PanelState state = StateOf(states, panel, tile.head_dim);
      ScoreProduct score{keys, state.queries, tile.head_dim, scores, Load(state.maxima), Load(state.maxima + kLanes)};
      ForRowGroups(count, score);
      if (tile.end_visible != nullptr) {
        HideKeys(tile.first_visible + panel * kPanelWidth, tile.end_visible + panel * kPanelWidth,
                 QueriesOf(tile, panel), begin, count, scores);
        score.low_maximum = MaximumOf(scores, count, Load(state.maxima));
        score.high_maximum = MaximumOf(scores + kLanes, count, Load(state.maxima + kLanes));
      }
      UpdateSoftmax(count, tile.head_dim, score.low_maximum, scores, state.maxima, state.totals, state.mix);
      UpdateSoftmax(count, tile.head_dim, score.high_maximum, scores + kLanes, state.maxima + kLanes,
                    state.totals + kLanes, state.mix + kLanes);
      ValueProduct mixture{values, scores, count, state.mix};
      ForRowGroups(tile.head_dim, mixture);
    }
  }
  for (int64_t panel = 0; panel < panels; ++panel) FinishPanel(tile, panel, StateOf(states, panel, tile.head_dim));
}

}  // namespace
}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_ATTENTION_KERNEL_H_
