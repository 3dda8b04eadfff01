#ifndef SFUMATO_OPS_ATTENTION_H_
#define SFUMATO_OPS_ATTENTION_H_

#include <cstdint>

#include "ops/step_layout.h"

namespace sfumato {

/// Which of its own item's tokens a position sees; it sees all of its context.
enum class Visibility {
  kAll,
  /// Those up to the end of its own block of absolute positions.
  kOwnAndEarlierBlocks,
  /// Itself and those before it.
  kCausal,
};

/// One layer's keys and values of all pages: [pages, page_tokens, 2, kv_heads * head_dim], keys before values.
struct KeyValuePages {
  float* data = nullptr;
  int64_t page_tokens = 1;
};

struct AttentionShape {
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
};

/// softmax(scale * queries keys^T) values for every item over its context's pages and its own tokens. Queries are all
/// rows of the step, or its selected ones.
struct AttentionArguments {
  const StepLayout* layout;
  AttentionShape shape;
  float scale;
  Visibility visibility = Visibility::kAll;
  int64_t block_length = 1;
  bool selected_only = false;
  const float* queries;  // [queries, heads, head_dim]
  int64_t query_stride;
  const float* keys;  // [rows, kv_heads, head_dim]
  const float* values;
  int64_t key_stride;
  KeyValuePages pages;
  float* output;  // [queries, heads, head_dim]
  int64_t output_stride;
};

/// Copies keys and values of the items that write pages to their places after the context.
struct KeyValueWriteArguments {
  const StepLayout* layout;
  int64_t width;      // kv_heads * head_dim
  const float* keys;  // [rows, width]
  const float* values;
  int64_t key_stride;
  KeyValuePages pages;
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_ATTENTION_H_
