#ifndef SFUMATO_CUDA_ATTENTION_KERNEL_H_
#define SFUMATO_CUDA_ATTENTION_KERNEL_H_

#include <cstdint>

#include "base/number_formats.h"
#include "cuda/simt.h"
#include "ops/step_layout.h"

namespace sfumato::cuda {

/// The keys that a query sees, counted from the first of its item's context; the item's own and those behind it follow.
struct KeyRange {
  int64_t first;
  int64_t end;
};

/// What attention reads and writes: floats that are split into terms, or bfloat16 numbers.
template <int kTerms>
struct AttentionNumbers {
  using Number = float;
  using Word = float;
  /// Numbers of a word of shared memory.
  static constexpr int kOfWord = 1;
  /// Words between rows in shared memory that send the lanes of a fragment to different banks.
  static constexpr int kKeyGap = 16;
  static constexpr int kValueGap = 4;

  /// A word that holds the number and what follows it, zeros from the end on.
  static SFUMATO_DEVICE float Load(const Global<const float>& numbers, int64_t start, int64_t i, int64_t end) {
    return i < end ? numbers[start + i] : 0.0f;
  }
  static SFUMATO_DEVICE float Rounded(float number) { return number; }
};

template <>
struct AttentionNumbers<1> {
  using Number = uint16_t;
  using Word = uint32_t;
  static constexpr int kOfWord = 2;
  static constexpr int kKeyGap = 8;
  static constexpr int kValueGap = 4;

  static SFUMATO_DEVICE uint32_t Load(const Global<const uint16_t>& numbers, int64_t start, int64_t i, int64_t end) {
    const uint32_t low = i < end ? numbers[start + i] : 0u;
    return i + 1 < end ? low | static_cast<uint32_t>(numbers[start + i + 1]) << 16 : low;
  }
  static SFUMATO_DEVICE uint16_t Rounded(float number) { return static_cast<uint16_t>(PackBfloat16(number, 0)); }
};

/// Attention of ops/attention.h: running maximum and sum over tiles of keys, counted from the first key of the item's
/// context, so that neither the other rows nor the place of the keys, pages or own rows, changes a row's result. A block
/// takes rows of one item and one key-value head, where a row is a query of one of the heads that share it: x of the tiles
/// of rows, as many as the item with the most has, y of the key-value heads, z of the items.
///
/// kHeadDim: the head's size, filled up with zeros to a multiple of 32. kTerms: bfloat16 terms of each operand (see SplitBfloat16); with one
/// all that is read and written is bfloat16. kWarps: of a block; with twice as many keys and values are read half as often. A
/// row's result does not depend on that.
template <int kHeadDim, int kTerms, int kWarps = 4>
struct AttentionKernel {
  static constexpr const char* kName = "attention";
  static constexpr int kThreads = kWarps * kWarpThreads;
  /// The most numbers of a row's result that fit a warp's registers.
  static constexpr int kWarpDims = kTerms == 1 ? 256 : 128;
  /// Warps that share 16 rows: each scores by its share of the head's numbers, and has that share of the result.
  static constexpr int kDimSplits = kHeadDim > kWarpDims ? kHeadDim / kWarpDims : 1;
  static constexpr int kDims = kHeadDim / kDimSplits;
  static constexpr int kRows = 16 * kWarps / kDimSplits;
  static constexpr int kKeys = kHeadDim > (kTerms == 1 ? 256 : 128) ? 16 : 32;
  static constexpr int kStages = kHeadDim > 256 && kTerms > 1 ? 1 : 2;
  /// Whether a lane's share of the queries stays in registers.
  static constexpr bool kKeepsQueries = kTerms == 1 && kHeadDim <= 128;

  using Numbers = AttentionNumbers<kTerms>;
  using Number = typename Numbers::Number;
  using Word = typename Numbers::Word;
  static constexpr int kKeyStride = kHeadDim / Numbers::kOfWord + Numbers::kKeyGap;
  static constexpr int kValueStride = kHeadDim / Numbers::kOfWord + Numbers::kValueGap;

  struct Shared {
    SharedArray<Word, kStages * kKeys * kKeyStride> keys;
    SharedArray<Word, kStages * kKeys * kValueStride> values;
    SharedArray<float, kDimSplits == 1 ? 1 : kKeys / 8 * 4 * kThreads> scores;  // [numbers of a thread, threads]
  };

  Global<const Sequence> sequences;
  Global<const int32_t> page_list;
  Global<const int32_t> selected;  // null where queries are all rows
  int64_t group;                   // heads that share a key-value head
  int64_t head_dim;
  float scale;
  int64_t window;
  int64_t context_window;
  Global<const Number> queries;
  int64_t query_stride;
  Global<const Number> keys;  // of the step's rows
  Global<const Number> values;
  int64_t key_stride;
  Global<const Number> pages;  // [pages, page_tokens, 2, page_width]
  int64_t page_tokens;
  int64_t page_width;
  Global<Number> output;
  int64_t output_stride;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const Sequence& sequence = sequences[BlockZ()];
    const int64_t queries_of_item = selected.IsNull() ? sequence.rows : sequence.selected;
    const int64_t first_row = static_cast<int64_t>(BlockX()) * kRows;
    if (first_row >= queries_of_item * group) return;
    const int64_t last_row =
        first_row + kRows <= queries_of_item * group ? first_row + kRows - 1 : queries_of_item * group - 1;
    // A later query sees neither earlier first keys nor earlier last ones.
    const KeyRange seen = {Visible(sequence, first_row / group).first, Visible(sequence, last_row / group).end};

    const int warp_row = WarpIndex() / kDimSplits * 16;
    int64_t starts[2];  // of the lane's two rows of queries
    KeyRange visible[2];
    SFUMATO_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int64_t row = first_row + warp_row + half * 8 + Lane() / 4;
      starts[half] = row <= last_row ? Place(sequence, row, query_stride) : -1;
      visible[half] = row <= last_row ? Visible(sequence, row / group) : KeyRange{0, 0};
    }

    uint32_t kept[kKeepsQueries ? kHeadDim / 16 : 1][4][kTerms];
    if constexpr (kKeepsQueries) {
      SFUMATO_UNROLL
      for (int tile = 0; tile < kHeadDim / 16; ++tile) LoadQueries(starts, tile, kept[tile]);
    }
    float mixed[kDims / 8][4] = {};
    float maxima[2] = {-INFINITY, -INFINITY};
    float totals[2] = {0, 0};  // of the lane's share of the keys
    const int64_t first_tile = seen.first / kKeys;
    const int64_t end_tile = (seen.end + kKeys - 1) / kKeys;
    if (kStages > 1) CopyTile(shared, sequence, first_tile, 0);
    for (int64_t tile = first_tile; tile < end_tile; ++tile) {
      const int stage = kStages > 1 ? static_cast<int>(tile - first_tile) % kStages : 0;
      if (kStages == 1) {
        SyncBlock();  // all have done with the tile before
        CopyTile(shared, sequence, tile, 0);
      }
      WaitForCopies<0>();
      SyncBlock();
      if (kStages > 1 && tile + 1 < end_tile) CopyTile(shared, sequence, tile + 1, (stage + 1) % kStages);
      float scores[kKeys / 8][4] = {};
      Score(shared, starts, kept, stage, scores);
      if constexpr (kDimSplits > 1) AddShares(shared, scores);
      Weigh(tile * kKeys, visible, scores, maxima, totals, mixed);
      Mix(shared, stage, scores, mixed);
    }
    SFUMATO_UNROLL
    for (int half = 0; half < 2; ++half) {
      totals[half] += ShuffleXor(totals[half], 1);
      totals[half] += ShuffleXor(totals[half], 2);
    }
    SFUMATO_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int64_t row = first_row + warp_row + half * 8 + Lane() / 4;
      if (row > last_row) continue;
      const float factor = 1.0f / totals[half];
      const int64_t place = Place(sequence, row, output_stride);
      SFUMATO_UNROLL
      for (int j = 0; j < kDims / 8; ++j) {
        const int dim = FirstDim() + j * 8 + Lane() % 4 * 2;
        if (dim < head_dim) output[place + dim] = Numbers::Rounded(mixed[j][half * 2] * factor);
        if (dim + 1 < head_dim) output[place + dim + 1] = Numbers::Rounded(mixed[j][half * 2 + 1] * factor);
      }
    }
  }

 private:
  static SFUMATO_DEVICE int FirstDim() { return WarpIndex() % kDimSplits * kDims; }

  /// Where a row's numbers begin in an array of queries.
  SFUMATO_DEVICE int64_t Place(const Sequence& sequence, int64_t row, int64_t stride) const {
    const int64_t query = (selected.IsNull() ? sequence.first_row : sequence.first_selected) + row / group;
    return query * stride + (BlockY() * group + row % group) * head_dim;
  }

  SFUMATO_DEVICE KeyRange Visible(const Sequence& sequence, int64_t query) const {
    const int64_t own_row = selected.IsNull() ? query : selected[sequence.first_selected + query] - sequence.first_row;
    KeyRange range = {0, sequence.context_tokens + sequence.rows + sequence.following_tokens};
    if (sequence.block_length > 0) {
      const int64_t place = sequence.first_position + own_row + sequence.block_offset;
      const int64_t block_end = (place / sequence.block_length + 1) * sequence.block_length - sequence.block_offset;
      const int64_t end = sequence.context_tokens + block_end - sequence.first_position;
      if (end < range.end) range.end = end;
    }
    if (window > 0) {
      const int64_t own_key = sequence.context_tokens + own_row;
      if (own_key - window > range.first) range.first = own_key - window;
      if (own_key + window + 1 < range.end) range.end = own_key + window + 1;
    }
    if (context_window > 0) {
      const int64_t anchor = sequence.context_tokens + (sequence.block_length == 0 ? 0 : own_row);
      if (anchor - context_window > range.first) range.first = anchor - context_window;
    }
    return range;
  }

  /// Starts to copy a tile's keys and values; zeros beyond the item's last key and the head's last number.
  SFUMATO_DEVICE void CopyTile(Shared& shared, const Sequence& sequence, int64_t tile, int stage) const {
    constexpr int kPieceWords = 4;
    constexpr int kPiece = kPieceWords * Numbers::kOfWord;  // numbers that are copied at once
    const bool aligned = head_dim % kPiece == 0;
    const int64_t own_end = sequence.context_tokens + sequence.rows;
    for (int piece = ThreadIndex(); piece < kKeys * (kHeadDim / kPiece); piece += kThreads) {
      const int i = piece / (kHeadDim / kPiece);
      const int dim = piece % (kHeadDim / kPiece) * kPiece;
      const int64_t key = tile * kKeys + i;
      const bool there = key < own_end + sequence.following_tokens;
      // Key k is row k of the pages, but where the own tokens stand.
      const bool paged = there && (key < sequence.context_tokens || key >= own_end);
      int64_t source = 0;
      if (paged) {
        const auto row = static_cast<uint32_t>(key);
        const auto page_rows = static_cast<uint32_t>(page_tokens);
        const int64_t page = page_list[sequence.first_page + row / page_rows];
        source = (page * page_tokens + row % page_rows) * 2 * page_width + BlockY() * head_dim;
      } else if (there) {
        source = (sequence.first_row + key - sequence.context_tokens) * key_stride + BlockY() * head_dim;
      }
      const Global<const Number>& from_keys = paged ? pages : keys;
      const Global<const Number>& from_values = paged ? pages : values;
      const int64_t value_source = source + (paged ? page_width : 0);
      const int to_key = (stage * kKeys + i) * kKeyStride + dim / Numbers::kOfWord;
      const int to_value = (stage * kKeys + i) * kValueStride + dim / Numbers::kOfWord;
      if (there && aligned && dim + kPiece <= head_dim) {
        CopyAsync16(shared.keys, to_key, from_keys, source + dim);
        CopyAsync16(shared.values, to_value, from_values, value_source + dim);
        continue;
      }
      for (int word = 0; word < kPieceWords; ++word) {
        const int n = dim + word * Numbers::kOfWord;
        const int64_t end = there ? head_dim : 0;
        shared.keys[to_key + word] = Numbers::Load(from_keys, source, n, end);
        shared.values[to_value + word] = Numbers::Load(from_values, value_source, n, end);
      }
    }
    CommitCopies();
  }

  /// The left operand of a tile along the head: of each of the lane's two rows four neighbours, as in Fragments.
  SFUMATO_DEVICE void LoadQueries(const int64_t (&starts)[2], int tile, uint32_t (&left)[4][kTerms]) const {
    const int dim = tile * 16 + Lane() % 4 * 4;
    SFUMATO_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int64_t start = starts[half];
      const bool whole = start >= 0 && head_dim % 4 == 0 && dim + 4 <= head_dim;
      const int64_t end = start >= 0 ? head_dim : 0;
      if constexpr (kTerms == 1) {
        Word2 query;
        if (whole) {
          query = Load4(queries, start + dim);
        } else {
          query = {Numbers::Load(queries, start, dim, end), Numbers::Load(queries, start, dim + 2, end)};
        }
        left[half][0] = query.x;
        left[half + 2][0] = query.y;
      } else {
        Float4 query;
        if (whole) {
          query = Load4(queries, start + dim);
        } else {
          query = {Numbers::Load(queries, start, dim, end), Numbers::Load(queries, start, dim + 1, end),
                   Numbers::Load(queries, start, dim + 2, end), Numbers::Load(queries, start, dim + 3, end)};
        }
        SplitBfloat16(query.x, query.y, left[half]);
        SplitBfloat16(query.z, query.w, left[half + 2]);
      }
    }
  }

  /// scores = queries keys^T, by the warp's share of the head's numbers.
  template <int kKept>
  SFUMATO_DEVICE void Score(Shared& shared, const int64_t (&starts)[2], const uint32_t (&kept)[kKept][4][kTerms],
                            int stage, float (&scores)[kKeys / 8][4]) const {
    float small[kKeys / 8][4] = {};
    if constexpr (kKeepsQueries) {
      SFUMATO_UNROLL
      for (int tile = 0; tile < kHeadDim / 16; ++tile) ScoreTile(shared, kept[tile], tile, stage, scores, small);
      return;
    }
    SFUMATO_UNROLL_LITTLE
    for (int tile = FirstDim() / 16; tile < (FirstDim() + kDims) / 16; ++tile) {
      uint32_t left[4][kTerms];
      LoadQueries(starts, tile, left);
      ScoreTile(shared, left, tile, stage, scores, small);
    }
    if constexpr (kTerms == 1) return;
    SFUMATO_UNROLL
    for (int j = 0; j < kKeys / 8; ++j) {
      SFUMATO_UNROLL
      for (int i = 0; i < 4; ++i) scores[j][i] += small[j][i];
    }
  }

  /// Adds up the scores of the warps that share rows, in the order of their shares.
  static SFUMATO_DEVICE void AddShares(Shared& shared, float (&scores)[kKeys / 8][4]) {
    constexpr int kNumbers = kKeys / 8 * 4;
    SFUMATO_UNROLL
    for (int n = 0; n < kNumbers; ++n) shared.scores[n * kThreads + ThreadIndex()] = scores[n / 4][n % 4];
    SyncBlock();  // the one before the next tile's scores lies between their reading and their writing
    const int first = WarpIndex() / kDimSplits * kDimSplits * kWarpThreads + Lane();
    SFUMATO_UNROLL
    for (int n = 0; n < kNumbers; ++n) {
      float sum = shared.scores[n * kThreads + first];
      SFUMATO_UNROLL
      for (int split = 1; split < kDimSplits; ++split)
        sum += shared.scores[n * kThreads + first + split * kWarpThreads];
      scores[n / 4][n % 4] = sum;
    }
  }

  static SFUMATO_DEVICE void ScoreTile(Shared& shared, const uint32_t (&left)[4][kTerms], int tile, int stage,
                                       float (&scores)[kKeys / 8][4], float (&small)[kKeys / 8][4]) {
    const int dim = tile * 16 + Lane() % 4 * 4;
    SFUMATO_UNROLL
    for (int j = 0; j < kKeys / 8; ++j) {
      const int place = (stage * kKeys + j * 8 + Lane() / 4) * kKeyStride + dim / Numbers::kOfWord;
      uint32_t right[2][kTerms];
      if constexpr (kTerms == 1) {
        const Word2 key = LoadWords2(shared.keys, place);
        right[0][0] = key.x;
        right[1][0] = key.y;
      } else {
        const Float4 key = Load4(shared.keys, place);
        SplitBfloat16(key.x, key.y, right[0]);
        SplitBfloat16(key.z, key.w, right[1]);
      }
      MultiplyTerms(scores[j], small[j], left, right);
    }
  }

  /// Turns scores into weights relative to the greatest score so far, and what was summed before into the same measure.
  SFUMATO_DEVICE void Weigh(int64_t first_key, const KeyRange (&visible)[2], float (&scores)[kKeys / 8][4],
                            float (&maxima)[2], float (&totals)[2], float (&mixed)[kDims / 8][4]) const {
    SFUMATO_UNROLL
    for (int half = 0; half < 2; ++half) {
      float maximum = maxima[half];
      SFUMATO_UNROLL
      for (int j = 0; j < kKeys / 8; ++j) {
        SFUMATO_UNROLL
        for (int i = half * 2; i < half * 2 + 2; ++i) {
          const int64_t key = first_key + j * 8 + Lane() % 4 * 2 + i % 2;
          const bool sees = key >= visible[half].first && key < visible[half].end;
          scores[j][i] = sees ? scores[j][i] * scale : -INFINITY;
          maximum = fmaxf(maximum, scores[j][i]);
        }
      }
      maximum = fmaxf(maximum, ShuffleXor(maximum, 1));
      maximum = fmaxf(maximum, ShuffleXor(maximum, 2));
      // Nothing seen yet: all weights are zero.
      const float factor = maximum == -INFINITY ? 1.0f : expf(maxima[half] - maximum);
      maxima[half] = maximum;
      float total = 0;
      SFUMATO_UNROLL
      for (int j = 0; j < kKeys / 8; ++j) {
        SFUMATO_UNROLL
        for (int i = half * 2; i < half * 2 + 2; ++i) {
          scores[j][i] = scores[j][i] == -INFINITY ? 0.0f : expf(scores[j][i] - maximum);
          total += scores[j][i];
        }
      }
      totals[half] = totals[half] * factor + total;
      SFUMATO_UNROLL
      for (int j = 0; j < kDims / 8; ++j) {
        mixed[j][half * 2] *= factor;
        mixed[j][half * 2 + 1] *= factor;
      }
    }
  }

  /// mixed += weights values. The sums' fragments of two neighbouring tiles are the left operand's of one.
  SFUMATO_DEVICE void Mix(Shared& shared, int stage, const float (&weights)[kKeys / 8][4],
                          float (&mixed)[kDims / 8][4]) const {
    SFUMATO_UNROLL
    for (int tile = 0; tile < kKeys / 16; ++tile) {
      uint32_t left[4][kTerms];
      SFUMATO_UNROLL
      for (int i = 0; i < 4; ++i) {
        const float(&pair)[4] = weights[tile * 2 + i / 2];
        SplitBfloat16(pair[i % 2 * 2], pair[i % 2 * 2 + 1], left[i]);
      }
      if constexpr (kTerms == 1) {
        // Lanes bring rows of 8 numbers of 16 keys, for two fragments.
        const int key = stage * kKeys + tile * 16 + Lane() % 16;
        SFUMATO_UNROLL
        for (int j = 0; j < kDims / 8; j += 2) {
          uint32_t words[4];
          LoadTransposed(shared.values, key * kValueStride + (FirstDim() + j * 8 + Lane() / 16 * 8) / 2, words);
          const uint32_t right[2][2][kTerms] = {{{words[0]}, {words[1]}}, {{words[2]}, {words[3]}}};
          MultiplyTerms(mixed[j], mixed[j], left, right[0]);
          MultiplyTerms(mixed[j + 1], mixed[j + 1], left, right[1]);
        }
      } else {
        const int key = stage * kKeys + tile * 16 + Lane() % 4 * 2;
        SFUMATO_UNROLL
        for (int j = 0; j < kDims / 8; ++j) {
          const int place = key * kValueStride + FirstDim() + j * 8 + Lane() / 4;
          uint32_t right[2][kTerms];
          SplitBfloat16(shared.values[place], shared.values[place + kValueStride], right[0]);
          SplitBfloat16(shared.values[place + 8 * kValueStride], shared.values[place + 9 * kValueStride], right[1]);
          MultiplyTerms(mixed[j], mixed[j], left, right);
        }
      }
    }
  }

  /// The greatest terms' product goes to sums, the others' to small, whose sums lose less to rounding by themselves.
  static SFUMATO_DEVICE void MultiplyTerms(float (&sums)[4], float (&small)[4], const uint32_t (&left)[4][kTerms],
                                           const uint32_t (&right)[2][kTerms]) {
    SFUMATO_UNROLL
    for (int order = kTerms - 1; order >= 0; --order) {
      SFUMATO_UNROLL
      for (int term = 0; term <= order; ++term) {
        const uint32_t a[4] = {left[0][term], left[1][term], left[2][term], left[3][term]};
        const uint32_t b[2] = {right[0][order - term], right[1][order - term]};
        MultiplyBfloat16(order == 0 ? sums : small, a, b);
      }
    }
  }
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_ATTENTION_KERNEL_H_
