#ifndef SFUMATO_CPU_ATTENTION_KERNEL_H_
#define SFUMATO_CPU_ATTENTION_KERNEL_H_

#include "cpu/kernels.h"
#include "cpu/tile.h"

namespace sfumato::cpu {
namespace {

// Queries lie in the lanes and keys in the rows: maxima and sums over the keys need no work across lanes, and keys and
// values are read where they lie, in pages or in the step's own rows.

/// scores[key, query] = keys times queries, for a run of keys that lie at one stride.
struct ScoreProduct {
  const float* keys;
  int64_t key_stride;
  const float* queries;  // [head_dim, panel width]
  int64_t head_dim;
  float* scores;

  template <int kRows>
  void Run(int64_t key) {
    Sums<kRows> sums;
    Zero(sums);
    MultiplyPanel<kRows, true>(keys + key * key_stride, key_stride, 1, queries, head_dim, sums);
    StoreSums(sums, scores + key * kPanelWidth, kPanelWidth);
  }
};

/// mix[dimension, query] += values transposed times probabilities, for a run of keys.
struct ValueProduct {
  const float* values;
  int64_t value_stride;
  const float* probabilities;  // [keys, panel width]
  int64_t keys;
  float* mix;

  template <int kRows>
  void Run(int64_t dimension) {
    Sums<kRows> sums;
    LoadSums(mix + dimension * kPanelWidth, kPanelWidth, sums);
    MultiplyPanel<kRows, false>(values + dimension, 1, value_stride, probabilities, keys, sums);
    StoreSums(sums, mix + dimension * kPanelWidth, kPanelWidth);
  }
};

/// Keys that lie one after the other at one stride.
struct KeyRun {
  const float* keys;
  const float* values;
  int64_t stride;
  int64_t count;
};

/// The run that starts at a key and ends before limit.
inline KeyRun RunAt(const AttentionTile& tile, int64_t key, int64_t limit) {
  if (key >= tile.context_tokens) {
    const int64_t own = (key - tile.context_tokens) * tile.own_stride;
    return {tile.keys + own, tile.values + own, tile.own_stride, limit - key};
  }
  const int64_t within = key % tile.page_tokens;
  const int64_t place = tile.pages[key / tile.page_tokens] * tile.page_stride + within * tile.page_row_stride;
  int64_t count = tile.page_tokens - within;
  if (count > tile.context_tokens - key) count = tile.context_tokens - key;
  if (count > limit - key) count = limit - key;
  return {tile.page_keys + place, tile.page_values + place, tile.page_row_stride, count};
}

/// Hides keys from the queries that don't see them.
inline void HideKeys(const float* visible, int64_t first_key, int64_t keys, float* scores) {
  for (int64_t half = 0; half < kPanelWidth; half += kLanes) {
    const Vec limit = Load(visible + half);
    for (int64_t k = 0; k < keys; ++k) {
      float* p = scores + k * kPanelWidth + half;
      Store(p, SelectLess(Set(static_cast<float>(first_key + k)), limit, Load(p), Set(-kInfinity)));
    }
  }
}

/// Turns scores into exponentials relative to the running maximum, and rescales what was summed before.
inline void UpdateSoftmax(int64_t keys, int64_t head_dim, float* scores, float* maxima, float* totals, float* mix) {
  for (int64_t half = 0; half < kPanelWidth; half += kLanes) {
    const Vec before = Load(maxima + half);
    Vec maximum = before;
    for (int64_t k = 0; k < keys; ++k) maximum = Max(maximum, Load(scores + k * kPanelWidth + half));
    const Vec rescale = Exp(before - maximum);
    Vec total = Load(totals + half) * rescale;
    for (int64_t k = 0; k < keys; ++k) {
      float* p = scores + k * kPanelWidth + half;
      const Vec e = Exp(Load(p) - maximum);
      Store(p, e);
      total = total + e;
    }
    Store(maxima + half, maximum);
    Store(totals + half, total);
    for (int64_t d = 0; d < head_dim; ++d) {
      float* p = mix + d * kPanelWidth + half;
      Store(p, Load(p) * rescale);
    }
  }
}

void Attention(const AttentionTile& tile) {
  const int64_t size = tile.head_dim * kPanelWidth;
  float* queries = tile.scratch;  // [head_dim, panel width]
  float* mix = queries + size;    // [head_dim, panel width]
  float* scores = mix + size;     // [keys, panel width]
  float* maxima = scores + kAttentionBlock * kPanelWidth;
  float* totals = maxima + kPanelWidth;
  float* visible = totals + kPanelWidth;

  for (int64_t q = 0; q < kPanelWidth; ++q) {
    const float* row = tile.queries + q * tile.query_stride;
    for (int64_t d = 0; d < tile.head_dim; ++d)
      queries[d * kPanelWidth + q] = q < tile.query_count ? row[d] * tile.scale : 0.0f;
  }
  for (int64_t i = 0; i < size; ++i) mix[i] = 0.0f;
  const int64_t all_keys = tile.context_tokens + tile.own_tokens;
  for (int64_t q = 0; q < kPanelWidth; ++q) {
    maxima[q] = kLowest;
    totals[q] = 0.0f;
    visible[q] = tile.visible != nullptr && q < tile.query_count ? tile.visible[q] : static_cast<float>(all_keys);
  }

  for (int64_t begin = 0; begin < all_keys; begin += kAttentionBlock) {
    const int64_t end = begin + kAttentionBlock < all_keys ? begin + kAttentionBlock : all_keys;
    for (int64_t key = begin; key < end;) {
      const KeyRun run = RunAt(tile, key, end);
      ScoreProduct body{run.keys, run.stride, queries, tile.head_dim, scores + (key - begin) * kPanelWidth};
      ForRowGroups(run.count, body);
      key += run.count;
    }
    if (tile.visible != nullptr) HideKeys(visible, begin, end - begin, scores);
    UpdateSoftmax(end - begin, tile.head_dim, scores, maxima, totals, mix);
    for (int64_t key = begin; key < end;) {
      const KeyRun run = RunAt(tile, key, end);
      ValueProduct body{run.values, run.stride, scores + (key - begin) * kPanelWidth, run.count, mix};
      ForRowGroups(tile.head_dim, body);
      key += run.count;
    }
  }

  for (int64_t q = 0; q < tile.query_count; ++q) {
    float* row = tile.output + q * tile.output_stride;
    const float norm = 1.0f / totals[q];
    for (int64_t d = 0; d < tile.head_dim; ++d) row[d] = mix[d * kPanelWidth + q] * norm;
  }
}

}  // namespace
}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_ATTENTION_KERNEL_H_
