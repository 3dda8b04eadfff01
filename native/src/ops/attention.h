#ifndef SFUMATO_OPS_ATTENTION_H_
#define SFUMATO_OPS_ATTENTION_H_

#include <cstdint>

#include "ops/operand.h"
#include "ops/step_layout.h"

namespace sfumato {

/// One layer's keys and values of all pages: [pages, page_tokens, 2, kv_heads * head_dim], keys before values.
struct KeyValuePages {
  Operand data;
  int64_t page_tokens = 1;
};

struct AttentionShape {
  int64_t heads;
  int64_t kv_heads;
  int64_t head_dim;
};

/// softmax(scale * queries keys^T) values for every item over its context's pages, its own tokens and the pages of what
/// follows them, as far as their blocks and the layer's window allow. Queries are all rows of the step, or its selected ones.
struct AttentionArguments {
  const StepLayout* layout;
  AttentionShape shape;
  float scale;
  /// Keys farther than this before or after the query are hidden from it; 0 for no such limit.
  int64_t window = 0;
  /// Keys farther than this before the query are hidden from it; where all tokens of an item see each other, keys
  /// farther before the item's first token from all of them (DiffusionGemma's rectangular window). 0 for no such limit.
  int64_t context_window = 0;
  bool selected_only = false;
  OperandView queries;  // [queries, heads, head_dim]
  int64_t query_stride;
  OperandView keys;  // [rows, kv_heads, head_dim]
  OperandView values;
  int64_t key_stride;
  KeyValuePages pages;
  Operand output;  // [queries, heads, head_dim]
  int64_t output_stride;
};

/// Copies keys and values of the items that write pages to their places after the context.
struct KeyValueWriteArguments {
  const StepLayout* layout;
  int64_t width;     // kv_heads * head_dim
  OperandView keys;  // [rows, width]
  OperandView values;
  int64_t key_stride;
  KeyValuePages pages;
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_ATTENTION_H_
