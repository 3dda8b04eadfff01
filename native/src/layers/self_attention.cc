#include "layers/self_attention.h"

namespace sfumato {
namespace {

Rotation RotationOf(const RopeTable* table, const StepLayout& layout, bool selected_only) {
  if (table == nullptr) return {};
  return {table->rotary_dim, layout.positions.data(), selected_only ? layout.selected.data() : nullptr,
          table->cosines->data(), table->sines->data()};
}

}  // namespace

AttentionWorkspace AttentionWorkspace::Allocate(Backend& backend, int64_t rows, const AttentionShape& shape) {
  const int64_t query_size = rows * shape.heads * shape.head_dim;
  const int64_t key_value_size = rows * 2 * shape.kv_heads * shape.head_dim;
  AttentionWorkspace workspace;
  workspace.queries = backend.Allocate(query_size);
  workspace.key_values = backend.Allocate(key_value_size);
  workspace.mixed = backend.AllocateOperand(query_size);
  if (workspace.mixed->rounded()) {
    workspace.rounded_queries = backend.AllocateOperand(query_size);
    workspace.rounded_key_values = backend.AllocateOperand(key_value_size);
  }
  return workspace;
}

void SelfAttention::RunKeyValues(Backend& backend, const StepLayout& layout, OperandView input,
                                 const KeyValuePages& pages, AttentionWorkspace& workspace) const {
  const int64_t width = shape.kv_heads * shape.head_dim;
  const Operand keys = workspace.key_value_operand();
  const bool prepared = key_norm != nullptr || value_norm != nullptr || rope != nullptr;
  key_value.Run(backend, Part::kAttentionProjections, input, layout.rows(), Epilogue::kStore,
                prepared ? workspace.key_values->data() : keys);
  if (prepared) {
    backend.PrepareHeads({workspace.key_values->data(), 2 * width, layout.rows(), shape.head_dim, shape.kv_heads,
                          key_norm == nullptr ? nullptr : key_norm->data(), shape.kv_heads,
                          value_norm == nullptr ? nullptr : value_norm->data(), norm_epsilon,
                          RotationOf(rope, layout, false), keys});
  }
  if (!pages.data.IsNull()) backend.WriteKeyValues({&layout, width, keys, keys.From(width), 2 * width, pages});
}

void SelfAttention::RunQueries(Backend& backend, const StepLayout& layout, bool selected_only, OperandView input,
                               const KeyValuePages& pages, AttentionWorkspace& workspace, Epilogue epilogue,
                               float* output_rows) const {
  const int64_t rows = selected_only ? layout.selected_rows() : layout.rows();
  const int64_t width = shape.heads * shape.head_dim;
  const int64_t kv_width = shape.kv_heads * shape.head_dim;
  const Operand queries = workspace.query_operand();
  const RopeTable* table = query_rope == nullptr ? rope : query_rope;
  const bool prepared = query_norm != nullptr || table != nullptr;
  query.Run(backend, Part::kAttentionProjections, input, rows, Epilogue::kStore,
            prepared ? workspace.queries->data() : queries);
  if (prepared) {
    backend.PrepareHeads({workspace.queries->data(), width, rows, shape.head_dim, shape.heads,
                          query_norm == nullptr ? nullptr : query_norm->data(), 0, nullptr, norm_epsilon,
                          RotationOf(table, layout, selected_only), queries});
  }
  AttentionArguments arguments;
  arguments.layout = &layout;
  arguments.shape = shape;
  arguments.scale = scale;
  arguments.window = window;
  arguments.context_window = context_window;
  arguments.selected_only = selected_only;
  arguments.queries = queries;
  arguments.query_stride = width;
  arguments.keys = workspace.key_value_operand();
  arguments.values = workspace.key_value_operand().From(kv_width);
  arguments.key_stride = 2 * kv_width;
  arguments.pages = pages;
  arguments.output = workspace.mixed->operand();
  arguments.output_stride = width;
  backend.Attention(arguments);
  output.Run(backend, Part::kAttentionProjections, workspace.mixed->operand(), rows, epilogue, output_rows);
}

}  // namespace sfumato
