#include <algorithm>

#include "cpu/cpu_backend.h"

namespace sfumato::cpu {
namespace {

constexpr int64_t kMaxPanelWidth = 32;

int64_t QueriesOf(const AttentionArguments& arguments, const Sequence& sequence) {
  return arguments.selected_only ? sequence.selected : sequence.rows;
}

/// Tasks when each takes up to the given number of queries of one key-value head.
int64_t TaskCount(const AttentionArguments& arguments, int64_t queries_of_task) {
  int64_t tasks = 0;
  for (const Sequence& sequence : arguments.layout->sequences) {
    tasks += (QueriesOf(arguments, sequence) + queries_of_task - 1) / queries_of_task * arguments.shape.kv_heads;
  }
  return tasks;
}

/// The largest tasks, which share the most, among which all threads still have about the same to do.
int64_t QueriesOfTask(const AttentionArguments& arguments, int64_t panel_width, int threads) {
  int64_t panels = kAttentionPanels;
  while (panels > 1) {
    const int64_t tasks = TaskCount(arguments, panels * panel_width);
    if (tasks % threads == 0 || tasks >= 8 * threads) break;
    panels /= 2;
  }
  return panels * panel_width;
}

/// The keys that a query sees, counted from the first of its item's context; the item's own and those behind it follow.
struct KeyRange {
  int64_t first;
  int64_t end;
};

KeyRange VisibleKeys(const AttentionArguments& arguments, const Sequence& sequence, int64_t own_row) {
  KeyRange keys{0, sequence.keys()};
  if (sequence.block_length > 0) {
    const int64_t place = sequence.first_position + own_row + sequence.block_offset;
    const int64_t block_end = (place / sequence.block_length + 1) * sequence.block_length - sequence.block_offset;
    keys.end = std::min(keys.end, sequence.context_tokens + block_end - sequence.first_position);
  }
  if (arguments.window > 0) {
    const int64_t own_key = sequence.context_tokens + own_row;
    keys.first = std::max<int64_t>(0, own_key - arguments.window);
    keys.end = std::min(keys.end, own_key + arguments.window + 1);
  }
  if (arguments.context_window > 0) {
    const int64_t anchor = sequence.context_tokens + (sequence.block_length == 0 ? 0 : own_row);
    keys.first = std::max(keys.first, anchor - arguments.context_window);
  }
  return keys;
}

}  // namespace

void CpuBackend::Attention(const AttentionArguments& arguments) {
  const StepLayout& layout = *arguments.layout;
  const AttentionShape& shape = arguments.shape;
  const int64_t group = shape.heads / shape.kv_heads;
  const int64_t kv_width = shape.kv_heads * shape.head_dim;

  int64_t operations = 0;
  for (const Sequence& sequence : layout.sequences) {
    operations += 4 * QueriesOf(arguments, sequence) * sequence.keys() * shape.heads * shape.head_dim;
  }
  const ProfileScope scope(profile(), Part::kAttention, operations);

  const int64_t queries_of_task = QueriesOfTask(arguments, kernels_.panel_width, pool_.threads());
  pool_.Run(TaskCount(arguments, queries_of_task), [&](int64_t task, int thread) noexcept {
    const Sequence* sequence = layout.sequences.data();
    int64_t parts = 0;
    int64_t rest = task;
    for (;; ++sequence) {
      parts = (QueriesOf(arguments, *sequence) + queries_of_task - 1) / queries_of_task;
      if (rest < parts * shape.kv_heads) break;
      rest -= parts * shape.kv_heads;
    }
    const int64_t kv_head = rest / parts;
    const int64_t first = rest % parts * queries_of_task;
    const int64_t count = std::min(queries_of_task, QueriesOf(arguments, *sequence) - first);
    const int64_t first_query = (arguments.selected_only ? sequence->first_selected : sequence->first_row) + first;

    const bool all_visible = sequence->block_length == 0 && arguments.window == 0 && arguments.context_window == 0;
    float first_visible[kAttentionPanels * kMaxPanelWidth];
    float end_visible[kAttentionPanels * kMaxPanelWidth];
    KeyRange keys{0, sequence->keys()};
    if (!all_visible) {
      std::swap(keys.first, keys.end);
      for (int64_t q = 0; q < count; ++q) {
        const int64_t row =
            arguments.selected_only ? layout.selected[static_cast<size_t>(first_query + q)] : first_query + q;
        const KeyRange seen = VisibleKeys(arguments, *sequence, row - sequence->first_row);
        first_visible[q] = static_cast<float>(seen.first);
        end_visible[q] = static_cast<float>(seen.end);
        keys = {std::min(keys.first, seen.first), std::max(keys.end, seen.end)};
      }
    }
    const float* own_keys =
        arguments.keys.floats + sequence->first_row * arguments.key_stride + kv_head * shape.head_dim;
    const float* own_values =
        arguments.values.floats + sequence->first_row * arguments.key_stride + kv_head * shape.head_dim;
    const float* page_keys =
        arguments.pages.data.IsNull() ? nullptr : arguments.pages.data.floats + kv_head * shape.head_dim;
    for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      kernels_.attention({arguments.queries.floats + first_query * arguments.query_stride + head * shape.head_dim,
                          arguments.query_stride,
                          count,
                          shape.head_dim,
                          arguments.scale,
                          layout.pages.data() + sequence->first_page,
                          arguments.pages.page_tokens,
                          arguments.pages.page_tokens * 2 * kv_width,
                          page_keys,
                          page_keys == nullptr ? nullptr : page_keys + kv_width,
                          2 * kv_width,
                          sequence->context_tokens,
                          sequence->rows,
                          own_keys,
                          own_values,
                          arguments.key_stride,
                          keys.first,
                          keys.end,
                          all_visible ? nullptr : first_visible,
                          all_visible ? nullptr : end_visible,
                          arguments.output.floats + first_query * arguments.output_stride + head * shape.head_dim,
                          arguments.output_stride,
                          attention_scratch_.data() + thread * attention_scratch_stride_});
    }
  });
}

void CpuBackend::WriteKeyValues(const KeyValueWriteArguments& arguments) {
  const ProfileScope scope(profile(), Part::kKeyValueWrite, 0);
  const int64_t page_tokens = arguments.pages.page_tokens;
  const int64_t width = arguments.width;
  for (const Sequence& sequence : arguments.layout->sequences) {
    ForRows(sequence.written, [&](int64_t row) {
      const int64_t token = sequence.context_tokens + row;
      const int64_t page = arguments.layout->pages[static_cast<size_t>(sequence.first_page + token / page_tokens)];
      float* place = arguments.pages.data.floats + (page * page_tokens + token % page_tokens) * 2 * width;
      std::copy_n(arguments.keys.floats + (sequence.first_row + row) * arguments.key_stride, width, place);
      std::copy_n(arguments.values.floats + (sequence.first_row + row) * arguments.key_stride, width, place + width);
    });
  }
}

}  // namespace sfumato::cpu
