#ifndef SFUMATO_CPU_KERNELS_H_
#define SFUMATO_CPU_KERNELS_H_

// The functions that are compiled once for each instruction set. Plain structs and pointers only: a standard template
// that two sets instantiate would be merged by the linker into code that one of the CPUs can't run.

#include <stdint.h>

#include "ops/epilogue.h"

namespace sfumato::cpu {

/// Two neighbours along the inner dimension, rounded to bfloat16: what AVX512_BF16 multiplies and adds at once.
struct Bfloat16Pair {
  uint16_t first;
  uint16_t second;
};

/// A weight that is stored as bfloat16 and multiplied as float.
struct Bfloat16 {
  uint16_t bits;
};

/// Four neighbours along the inner dimension of a column of weights: whole numbers of -127..127, plus 128.
struct WeightQuad {
  uint8_t levels[4];
};

/// Of kInt8GroupQuads quads of an input row: what one of their whole numbers stands for, and -128 times their sum, which
/// takes away what the weights are raised by.
struct Int8Group {
  float scale;
  int32_t offset;
};

/// Quads of an input row that are divided by the same number: 128 numbers, so that a large one spoils few others. Their
/// products with weights add up to less than 2^23, exactly in 32 bits, and in a float too.
constexpr int64_t kInt8GroupQuads = 32;

/// Rows of the input times packed panels of the weights, and what follows. An element is a float, a Bfloat16Pair or a quad
/// of whole numbers; of pairs there are half as many, of quads a quarter, the last one filled up with zero.
template <class Element, class Weight = Element>
struct ProductTile {
  const Element* input;  // [rows, inner]
  int64_t input_stride;
  int64_t rows;
  int64_t inner;
  const Weight* panels;  // [panels, inner, panel width]
  int64_t columns;       // of the output; the last panel may be partly padding
  bool far;              // whether the weights are too many to stay in a second-level cache between steps
  const float* bias;     // [columns] or null
  Epilogue epilogue;
  float* output;  // [rows, columns]
  int64_t output_stride;
  float* scratch;  // [rows, panels * panel width], used when inner > kProductBlock
  // Of quads only.
  const Int8Group* groups = nullptr;  // [rows, groups of the inner dimension]
  int64_t group_stride = 0;
  const float* scales = nullptr;  // [panels * panel width] what one whole number of a column's weights stands for
};

/// Longest run of elements over the inner dimension whose panel stays in the first-level cache. Sums are cut at multiples of an
/// even share of it, those of quads between groups, so where they are cut depends on the weights alone.
constexpr int64_t kProductBlock = 256;

/// Keys whose scores are kept at the same time; running sums are rescaled at multiples of it, counted from the first
/// key of the sequence.
constexpr int64_t kAttentionBlock = 256;

/// Panels of queries that share one copy of their keys and values.
constexpr int64_t kAttentionPanels = 16;

/// Queries of one head over all keys of their sequence, at most kAttentionPanels panels of them.
struct AttentionTile {
  const float* queries;  // [query_count, head_dim]
  int64_t query_stride;
  int64_t query_count;
  int64_t head_dim;
  float scale;
  const int32_t* pages;  // of the context and of what follows the own tokens
  int64_t page_tokens;
  int64_t page_stride;  // floats from one page to the next
  const float* page_keys;
  const float* page_values;
  int64_t page_row_stride;
  int64_t context_tokens;
  int64_t own_tokens;
  const float* keys;  // [own_tokens, head_dim]
  const float* values;
  int64_t own_stride;
  /// Keys that any of the queries sees, counted from the first of the context.
  int64_t first_key;
  int64_t end_key;
  const float* first_visible;  // [query_count] first key that a query sees; null when each sees all
  const float* end_visible;    // [query_count] the key after the last one
  float* output;               // [query_count, head_dim]
  int64_t output_stride;
  float* scratch;  // AttentionScratch floats
};

/// Floats of scratch that attention needs for each thread: keys and values of a block, scores of a panel, and queries,
/// mixtures, maxima and totals of all panels.
constexpr int64_t AttentionScratch(int64_t head_dim, int64_t panel_width) {
  return (2 * kAttentionBlock + 1) * head_dim + 16 + kAttentionBlock * panel_width +
         kAttentionPanels * (2 * head_dim + 2) * panel_width;
}

/// What one row's tile of logits comes to. Exponentials are relative to the tile's maximum.
struct LogitStatistics {
  float best;
  float second;        // the next logit by size, equal to best when two tokens are
  int32_t best_token;  // the first of equals
  float sum;           // of exp(scale (z - best))
  float weighted_sum;  // of scale (z - best) exp(scale (z - best))
  float sampling_sum;  // of exp(sampling_scale (z - best))
};

struct Kernels {
  const char* name;
  int64_t panel_width;

  void (*product)(const ProductTile<float>& tile);
  /// The same bits as from the weights in float.
  void (*product_of_bfloat16)(const ProductTile<float, Bfloat16>& tile);
  void (*attention)(const AttentionTile& tile);
  void (*rms_norm)(const float* input, const float* weight, float epsilon, int64_t size, float* output);
  void (*layer_norm)(const float* input, const float* weight, const float* bias, float epsilon, int64_t size,
                     float* output);
  /// Rotates the two halves of each head's first rotary_dim numbers by the angles of one position.
  void (*rope)(float* row, int64_t heads, int64_t head_dim, int64_t rotary_dim, const float* cosines,
               const float* sines);
  void (*add)(const float* addend, int64_t size, float* sum);
  /// sum = (sum + addend) factor; without addend where it is null
  void (*add_and_scale)(const float* addend, float factor, int64_t size, float* sum);
  /// sum += factor addend
  void (*add_scaled)(const float* addend, float factor, int64_t size, float* sum);
  void (*logit_statistics)(const float* logits, int64_t size, float scale, float sampling_scale,
                           LogitStatistics* statistics);
  /// logits = u + (scale + 1) (logits - u)
  void (*guide)(const float* unconditional, float scale, int64_t size, float* logits);
  /// logits = cap tanh(logits / cap)
  void (*cap)(float cap, int64_t size, float* logits);
  void (*widen)(const Bfloat16* input, int64_t size, float* output);
  /// mix += panel times weights: what a softmax over one panel's outputs makes of their weight vectors.
  void (*mix_panel)(const float* panel, int64_t inner, const float* weights, float* mix);
  void (*exponential)(const float* input, int64_t size, float* output);
  void (*gelu)(const float* input, int64_t size, float* output);
  void (*silu)(const float* input, int64_t size, float* output);
};

/// Products of numbers rounded to bfloat16, with sums in float.
struct Bfloat16Kernels {
  const char* name;
  int64_t panel_width;

  /// Rounds to the nearest, ties to even: [rows, inner] to [rows, (inner + 1) / 2] pairs.
  void (*round)(const float* input, int64_t input_stride, int64_t rows, int64_t inner, Bfloat16Pair* output,
                int64_t output_stride);
  void (*product)(const ProductTile<Bfloat16Pair>& tile);
};

/// Products of whole numbers of 8 bits: weights rounded by output when they are packed, inputs by groups of a row when
/// they are multiplied. Sums of a group are exact, and the same in every instruction set; groups are added in float.
struct Int8Kernels {
  const char* name;
  int64_t panel_width;
  /// Of a quad of an input row, in the form that the instructions want.
  int64_t quad_bytes;

  /// Rounds to the nearest, ties to even: [rows, inner] to [rows, (inner + 3) / 4] quads, which are written in whole vectors
  /// of at most four, and their groups. The scale of a group that is not finite is not a number.
  void (*quantise)(const float* input, int64_t input_stride, int64_t rows, int64_t inner, uint8_t* output,
                   int64_t output_stride, Int8Group* groups, int64_t group_stride);
  /// Strides of the input are in quads.
  void (*product)(const ProductTile<uint8_t, WeightQuad>& tile);
};

extern const Kernels kPortableKernels;
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
extern const Bfloat16Kernels kAvx512Bfloat16Kernels;
extern const Int8Kernels kPortableInt8Kernels;
extern const Int8Kernels kAvx2Int8Kernels;
extern const Int8Kernels kAvx2VnniInt8Kernels;
extern const Int8Kernels kAvx512Int8Kernels;
extern const Int8Kernels kAvx512VnniInt8Kernels;

}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_KERNELS_H_
