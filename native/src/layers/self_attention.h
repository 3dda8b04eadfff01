#ifndef SFUMATO_LAYERS_SELF_ATTENTION_H_
#define SFUMATO_LAYERS_SELF_ATTENTION_H_

#include <memory>

#include "layers/linear.h"
#include "layers/rope_table.h"
#include "ops/backend.h"

namespace sfumato {

/// Work space that all layers of a model share.
struct AttentionWorkspace {
  std::unique_ptr<Buffer> queries;     // [rows, heads * head_dim]
  std::unique_ptr<Buffer> key_values;  // [rows, 2, kv_heads * head_dim]
  std::unique_ptr<Buffer> mixed;       // [rows, heads * head_dim], for products
  // Where attention takes rounded operands; null where the floats serve.
  std::unique_ptr<Buffer> rounded_queries;
  std::unique_ptr<Buffer> rounded_key_values;

  /// What attention reads.
  Operand query_operand() const { return rounded_queries == nullptr ? queries->data() : rounded_queries->operand(); }
  Operand key_value_operand() const {
    return rounded_key_values == nullptr ? key_values->data() : rounded_key_values->operand();
  }

  static AttentionWorkspace Allocate(Backend& backend, int64_t rows, const AttentionShape& shape);
};

/// Multi-head attention with grouped keys: projections, norms of each head's queries and keys and rotary positions where
/// the family has them, attention over pages and own tokens, and the output projection, added to a residual or stored.
struct SelfAttention {
  AttentionShape shape;
  float scale;
  Linear query;
  Linear key_value;  // keys, then values
  Linear output;
  const RopeTable* rope = nullptr;
  std::unique_ptr<Buffer> query_norm = nullptr;  // [head_dim]; null for none
  std::unique_ptr<Buffer> key_norm = nullptr;
  float norm_epsilon = 0;
  /// See AttentionArguments::window.
  int64_t window = 0;
  /// See AttentionArguments::context_window.
  int64_t context_window = 0;
  /// Norm of each head's values; null for none.
  std::unique_ptr<Buffer> value_norm = nullptr;  // [head_dim]
  /// Rotates the queries where they are scaled by their position too; null where rope does.
  const RopeTable* query_rope = nullptr;

  /// Keys and values of all rows of the step; written to the pages of the items that want it.
  void RunKeyValues(Backend& backend, const StepLayout& layout, OperandView input, const KeyValuePages& pages,
                    AttentionWorkspace& workspace) const;

  /// Attention of all rows, or of the selected ones: input and output hold these rows only.
  void RunQueries(Backend& backend, const StepLayout& layout, bool selected_only, OperandView input,
                  const KeyValuePages& pages, AttentionWorkspace& workspace, Epilogue epilogue,
                  float* output_rows) const;
};

}  // namespace sfumato

#endif  // SFUMATO_LAYERS_SELF_ATTENTION_H_
