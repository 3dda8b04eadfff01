#include "layers/self_attention.h"

namespace sfumato {

AttentionWorkspace AttentionWorkspace::Allocate(Backend& backend, int64_t rows, const AttentionShape& shape) {
  return {backend.Allocate(rows * shape.heads * shape.head_dim),
          backend.Allocate(rows * 2 * shape.kv_heads * shape.head_dim),
          backend.Allocate(rows * shape.heads * shape.head_dim)};
}

void SelfAttention::RunKeyValues(Backend& backend, const StepLayout& layout, const float* input,
                                 const KeyValuePages& pages, AttentionWorkspace& workspace) const {
  const int64_t width = shape.kv_heads * shape.head_dim;
  float* keys = workspace.key_values->data();
  key_value.Run(backend, Part::kAttentionProjections, input, layout.rows(), Epilogue::kStore, keys);
  if (key_norm != nullptr) {
    backend.HeadNorm({keys, 2 * width, layout.rows(), shape.kv_heads, shape.head_dim, key_norm->data(), norm_epsilon});
  }
  if (value_norm != nullptr) {
    backend.HeadNorm(
        {keys + width, 2 * width, layout.rows(), shape.kv_heads, shape.head_dim, value_norm->data(), norm_epsilon});
  }
  if (rope != nullptr) {
    backend.Rope({keys, 2 * width, layout.rows(), shape.kv_heads, shape.head_dim, rope->rotary_dim,
                  layout.positions.data(), nullptr, rope->cosines->data(), rope->sines->data()});
  }
  if (pages.data != nullptr) backend.WriteKeyValues({&layout, width, keys, keys + width, 2 * width, pages});
}

void SelfAttention::RunQueries(Backend& backend, const StepLayout& layout, bool selected_only, const float* input,
                               const KeyValuePages& pages, AttentionWorkspace& workspace, Epilogue epilogue,
                               float* output_rows) const {
  const int64_t rows = selected_only ? layout.selected_rows() : layout.rows();
  const int64_t width = shape.heads * shape.head_dim;
  const int64_t kv_width = shape.kv_heads * shape.head_dim;
  float* queries = workspace.queries->data();
  query.Run(backend, Part::kAttentionProjections, input, rows, Epilogue::kStore, queries);
  if (query_norm != nullptr) {
    backend.HeadNorm({queries, width, rows, shape.heads, shape.head_dim, query_norm->data(), norm_epsilon});
  }
  const RopeTable* table = query_rope == nullptr ? rope : query_rope;
  if (table != nullptr) {
    backend.Rope({queries, width, rows, shape.heads, shape.head_dim, table->rotary_dim, layout.positions.data(),
                  selected_only ? layout.selected.data() : nullptr, table->cosines->data(), table->sines->data()});
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
  arguments.keys = workspace.key_values->data();
  arguments.values = workspace.key_values->data() + kv_width;
  arguments.key_stride = 2 * kv_width;
  arguments.pages = pages;
  arguments.output = workspace.mixed->data();
  arguments.output_stride = width;
  backend.Attention(arguments);
  output.Run(backend, Part::kAttentionProjections, workspace.mixed->data(), rows, epilogue, output_rows);
}

}  // namespace sfumato
