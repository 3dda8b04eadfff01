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

/// Keys that a query sees, its item's context included.
int64_t VisibleKeys(const AttentionArguments& arguments, const Sequence& sequence, int64_t own_row) {
  int64_t own = sequence.rows;
  if (arguments.visibility == Visibility::kCausal) own = own_row + 1;
  if (arguments.visibility == Visibility::kOwnAndEarlierBlocks) {
    const int64_t block_end =
        ((sequence.first_position + own_row) / arguments.block_length + 1) * arguments.block_length;
    own = std::min(sequence.rows, block_end - sequence.first_position);
  }
  return sequence.context_tokens + own;
}

}  // namespace

void CpuBackend::Attention(const AttentionArguments& arguments) {
  const StepLayout& layout = *arguments.layout;
  const AttentionShape& shape = arguments.shape;
  const int64_t group = shape.heads / shape.kv_heads;
  const int64_t kv_width = shape.kv_heads * shape.head_dim;

  int64_t operations = 0;
  for (const Sequence& sequence : layout.sequences) {
    operations +=
        4 * QueriesOf(arguments, sequence) * (sequence.context_tokens + sequence.rows) * shape.heads * shape.head_dim;
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

    float visible[kAttentionPanels * kMaxPanelWidth];
    if (arguments.visibility != Visibility::kAll) {
      for (int64_t q = 0; q < count; ++q) {
        const int64_t row =
            arguments.selected_only ? layout.selected[static_cast<size_t>(first_query + q)] : first_query + q;
        visible[q] = static_cast<float>(VisibleKeys(arguments, *sequence, row - sequence->first_row));
      }
    }
    const float* own_keys = arguments.keys + sequence->first_row * arguments.key_stride + kv_head * shape.head_dim;
    const float* own_values = arguments.values + sequence->first_row * arguments.key_stride + kv_head * shape.head_dim;
    const float* page_keys =
        arguments.pages.data == nullptr ? nullptr : arguments.pages.data + kv_head * shape.head_dim;
    for (int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      kernels_.attention({arguments.queries + first_query * arguments.query_stride + head * shape.head_dim,
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
                          own_keys,
                          own_values,
                          arguments.key_stride,
                          sequence->rows,
                          arguments.visibility == Visibility::kAll ? nullptr : visible,
                          arguments.output + first_query * arguments.output_stride + head * shape.head_dim,
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
    if (!sequence.writes_pages) continue;
    ForRows(sequence.rows, [&](int64_t row) {
      const int64_t token = sequence.context_tokens + row;
      const int64_t page = arguments.layout->pages[static_cast<size_t>(sequence.first_page + token / page_tokens)];
      float* place = arguments.pages.data + (page * page_tokens + token % page_tokens) * 2 * width;
      std::copy_n(arguments.keys + (sequence.first_row + row) * arguments.key_stride, width, place);
      std::copy_n(arguments.values + (sequence.first_row + row) * arguments.key_stride, width, place + width);
    });
  }
}

}  // namespace sfumato::cpu
