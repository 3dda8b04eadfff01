#include "engine/step_planner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace sfumato {
namespace {

constexpr float kMinTemperature = 1e-3f;
constexpr float kMaxTemperature = 1e3f;
constexpr float kMaxGuidanceScale = 1e4f;
constexpr int32_t kMaxCounter = 0x7FFFFFFF;

std::string FieldName(int32_t index, const std::string& field) {
  return "items[" + std::to_string(index) + "]." + field;
}

/// Checks one field of an item; builds its name for the message only.
void CheckField(int32_t index, const char* field, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high) CheckRange(FieldName(index, field).c_str(), value, low, high);
}

bool WritesPages(const sfumato_item& item) { return item.kind != SFUMATO_ITEM_DENOISE; }

/// Leading tokens whose keys and values go to the pages.
int32_t WrittenTokens(const sfumato_item& item) {
  if (item.kind == SFUMATO_ITEM_PREFILL) return item.token_count;
  return item.kind == SFUMATO_ITEM_COMMIT ? item.commit_tokens : 0;
}

bool IsShifted(const sfumato_item& item) { return (item.flags & SFUMATO_FLAG_SHIFTED_LOGITS) != 0; }

}  // namespace

StepPlanner::StepPlanner(const EngineOptions& options, const ModelFacts& facts, int64_t pages_capacity)
    : options_(options),
      facts_(facts),
      output_used_(static_cast<size_t>(options.max_candidates)),
      is_guide_(static_cast<size_t>(options.max_items)),
      slot_used_(static_cast<size_t>(options.max_slots)),
      row_selected_(static_cast<size_t>(options.max_batch_tokens)),
      selected_index_(static_cast<size_t>(options.max_batch_tokens)),
      page_writer_(static_cast<size_t>(options.max_pages)) {
  items_.reserve(static_cast<size_t>(options.max_items));
  for (Planned* planned : {&current_, &next_}) {
    const auto rows = static_cast<size_t>(options.max_batch_tokens);
    planned->layout.tokens.reserve(rows);
    planned->layout.positions.reserve(rows);
    planned->layout.selected.reserve(rows);
    planned->token_sources.reserve(rows);
    planned->layout.pages.reserve(static_cast<size_t>(pages_capacity));
    planned->layout.sequences.reserve(static_cast<size_t>(options.max_items));
    planned->layout.rules.reserve(static_cast<size_t>(options.max_items));
    planned->layout.candidates.reserve(static_cast<size_t>(options.max_candidates));
  }
}

int64_t StepPlanner::bytes() const {
  int64_t bytes = static_cast<int64_t>(items_.capacity() * sizeof(sfumato_item) + output_used_.size() +
                                       is_guide_.size() + slot_used_.size() + row_selected_.size() +
                                       (selected_index_.size() + page_writer_.size()) * sizeof(int32_t));
  for (const Planned* planned : {&current_, &next_}) {
    const StepLayout& layout = planned->layout;
    bytes += static_cast<int64_t>((layout.tokens.capacity() + layout.positions.capacity() + layout.selected.capacity() +
                                   layout.pages.capacity() + planned->token_sources.capacity()) *
                                      sizeof(int32_t) +
                                  layout.sequences.capacity() * sizeof(Sequence) +
                                  layout.rules.capacity() * sizeof(CandidateRules) +
                                  layout.candidates.capacity() * sizeof(CandidateRow));
  }
  return bytes;
}

void StepPlanner::Plan(const StepBuffers& buffers, int32_t item_count) {
  CheckRange("item_count", item_count, 0, options_.max_items);
  items_.assign(buffers.items.data(), buffers.items.data() + item_count);
  std::fill(output_used_.begin(), output_used_.end(), uint8_t{0});
  std::fill(is_guide_.begin(), is_guide_.end(), uint8_t{0});
  next_.output_rows = 0;
  next_.layout.tokens.clear();
  next_.layout.positions.clear();
  next_.layout.pages.clear();
  next_.layout.sequences.clear();
  next_.layout.selected.clear();
  next_.layout.rules.clear();
  next_.layout.candidates.clear();
  next_.token_sources.clear();

  int64_t tokens = 0;
  int64_t pages = 0;
  for (int32_t i = 0; i < item_count; ++i) {
    CheckItem(buffers, i);
    tokens += items_[static_cast<size_t>(i)].token_count;
    pages += items_[static_cast<size_t>(i)].page_count;
  }
  CheckRange("tokens of all items", tokens, 0, options_.max_batch_tokens);
  CheckRange("pages of all items", pages, 0, static_cast<int64_t>(buffers.pages.size()));
  for (int32_t i = 0; i < item_count; ++i) CheckGuidance(i);
  CheckSlots();
  CheckPageWriters(buffers);
  for (int32_t i = 0; i < item_count; ++i) AddItem(buffers, i);
  AddCandidates(buffers);
  std::swap(current_, next_);
}

void StepPlanner::RefreshTokens(const StepBuffers& buffers) {
  for (const int32_t source : current_.token_sources) CheckedToken(buffers, source);
  for (size_t row = 0; row < current_.token_sources.size(); ++row) {
    current_.layout.tokens[row] = buffers.tokens[static_cast<size_t>(current_.token_sources[row])];
  }
}

int32_t StepPlanner::CheckedToken(const StepBuffers& buffers, int32_t source) const {
  const int32_t token = buffers.tokens[static_cast<size_t>(source)];
  if (token < 0 || token >= facts_.vocabulary) {
    CheckRange(("tokens[" + std::to_string(source) + "]").c_str(), token, 0, facts_.vocabulary - 1);
  }
  return token;
}

void StepPlanner::CheckItem(const StepBuffers& buffers, int32_t index) {
  const sfumato_item& item = items_[static_cast<size_t>(index)];
  CheckField(index, "kind", item.kind, SFUMATO_ITEM_PREFILL, SFUMATO_ITEM_COMMIT);
  if (WritesPages(item) && !KeepsPages()) {
    Fail(SFUMATO_FAILED_PRECONDITION, FieldName(index, "kind"),
         item.kind == SFUMATO_ITEM_PREFILL ? "PREFILL" : "COMMIT",
         "DENOISE, since family " + facts_.family + " keeps no key-value cache");
  }
  CheckField(index, "slot", item.slot, 0, options_.max_slots - 1);
  CheckField(index, "token_count", item.token_count, 1,
             std::min<int64_t>(options_.max_batch_tokens, facts_.max_positions));
  CheckField(index, "token_offset", item.token_offset, 0, options_.max_batch_tokens - item.token_count);
  CheckField(index, "first_position", item.first_position, 0, facts_.max_positions - item.token_count);
  CheckField(index, "flags", item.flags, 0, SFUMATO_FLAG_TEMPERED_PROBABILITIES | SFUMATO_FLAG_SHIFTED_LOGITS);
  CheckBlocks(index);
  CheckField(index, "top_count", item.top_count, 0, options_.max_top_candidates);
  CheckRandomness(index);
  CheckTokenList(buffers, index, {"suppressed", "suppressed_offset", "suppressed_count"}, item.suppressed_offset,
                 item.suppressed_count);
  CheckTokenList(buffers, index, {"unconfident", "unconfident_offset", "unconfident_count"}, item.unconfident_offset,
                 item.unconfident_count);
  CheckCandidates(buffers, index);
  CheckPages(buffers, index);
}

void StepPlanner::CheckBlocks(int32_t index) const {
  const sfumato_item& item = items_[static_cast<size_t>(index)];
  const bool commits = item.kind == SFUMATO_ITEM_COMMIT;
  CheckField(index, "commit_tokens", item.commit_tokens, commits ? 1 : 0, commits ? item.token_count : 0);
  const bool causal = facts_.attention == SFUMATO_ATTENTION_BLOCK_CAUSAL;
  const bool either = facts_.attention == SFUMATO_ATTENTION_FULL_OR_BLOCK_CAUSAL;
  CheckField(index, "block_length", item.block_length, causal ? 1 : 0, causal || either ? facts_.max_positions : 0);
  CheckField(index, "block_offset", item.block_offset, 0, std::max(0, item.block_length - 1));
  const bool approximate = options_.approximate_cache && item.block_length == 0;
  CheckField(index, "following_tokens", item.following_tokens, 0,
             approximate && !WritesPages(item) ? facts_.max_positions - item.first_position - item.token_count : 0);
  if (facts_.attention == SFUMATO_ATTENTION_ENCODER_CANVAS) return CheckEncoderCanvas(index);
  if (!WritesPages(item) || approximate) return;
  const int64_t end = int64_t{item.first_position} + WrittenTokens(item) + item.block_offset;
  if (item.block_length == 0 || end % item.block_length != 0) {
    Fail(SFUMATO_INVALID_ARGUMENT, FieldName(index, commits ? "commit_tokens" : "token_count"), WrittenTokens(item),
         "tokens up to the end of a block, since keys of an unfinished one would change");
  }
}

void StepPlanner::CheckEncoderCanvas(int32_t index) const {
  const sfumato_item& item = items_[static_cast<size_t>(index)];
  CheckField(index, "context_tokens", item.context_tokens, item.first_position, item.first_position);
  if (item.kind == SFUMATO_ITEM_COMMIT)
    CheckField(index, "commit_tokens", item.commit_tokens, item.token_count, item.token_count);
  if (item.kind != SFUMATO_ITEM_DENOISE) return;
  CheckField(index, "token_count", item.token_count, 1, facts_.block_length);
  CheckField(index, "guidance_item", item.guidance_item, -1, -1);
  const bool tempered = (item.flags & SFUMATO_FLAG_TEMPERED_PROBABILITIES) != 0;
  if (facts_.self_conditioning && item.temperature > 0 && !tempered) {
    Fail(SFUMATO_INVALID_ARGUMENT, FieldName(index, "flags"), item.flags,
         "SFUMATO_FLAG_TEMPERED_PROBABILITIES, since the next step is conditioned on the tempered distribution");
  }
}

void StepPlanner::CheckRandomness(int32_t index) const {
  const sfumato_item& item = items_[static_cast<size_t>(index)];
  CheckField(index, "block", item.block, 0, kMaxCounter);
  CheckField(index, "step", item.step, 1, kMaxCounter);
  if (item.temperature != 0 && !(item.temperature >= kMinTemperature && item.temperature <= kMaxTemperature)) {
    Fail(SFUMATO_INVALID_ARGUMENT, FieldName(index, "temperature"), item.temperature, "0 or 0.001..1000");
  }
}

void StepPlanner::CheckTokenList(const StepBuffers& buffers, int32_t index, const TokenListFields& fields,
                                 int32_t offset, int32_t count) const {
  if (count == 0) return;
  CheckField(index, fields.count, count, 0, std::min<int64_t>(SFUMATO_MAX_TOKEN_LIST, facts_.vocabulary - 1));
  CheckField(index, fields.offset, offset, 0, static_cast<int64_t>(buffers.token_lists.size()) - count);
  for (int32_t i = 0; i < count; ++i) {
    const int32_t token = buffers.token_lists[static_cast<size_t>(offset + i)];
    if (token < 0 || token >= facts_.vocabulary) {
      CheckRange(FieldName(index, std::string(fields.name) + "[" + std::to_string(i) + "]").c_str(), token, 0,
                 facts_.vocabulary - 1);
    }
  }
}

void StepPlanner::CheckCandidates(const StepBuffers& buffers, int32_t index) {
  const sfumato_item& item = items_[static_cast<size_t>(index)];
  if (item.candidate_count == 0) return;
  CheckField(index, "candidate_count", item.candidate_count, 0, options_.max_candidates);
  CheckField(index, "candidate_offset", item.candidate_offset, 0, options_.max_candidates - item.candidate_count);
  int32_t before = -1;
  for (int32_t i = 0; i < item.candidate_count; ++i) {
    const int32_t output = item.candidate_offset + i;
    const int32_t row = buffers.candidate_rows[static_cast<size_t>(output)];
    const int32_t token = buffers.candidate_tokens[static_cast<size_t>(output)];
    if (token < -1 || token >= facts_.vocabulary) {
      CheckRange(("candidate_tokens[" + std::to_string(output) + "]").c_str(), token, -1, facts_.vocabulary - 1);
    }
    const int32_t lowest = IsShifted(item) && item.first_position > 0 ? 1 : 0;
    const int32_t least = std::max(lowest, token < 0 ? before + 1 : before);
    if (row < least || row >= item.token_count) {
      CheckRange(("candidate_rows[" + std::to_string(output) + "]").c_str(), row, least, item.token_count - 1);
    }
    if (output_used_[static_cast<size_t>(output)] != 0) {
      Fail(SFUMATO_INVALID_ARGUMENT, FieldName(index, "candidate_offset"), item.candidate_offset,
           "candidate rows that no other item has");
    }
    output_used_[static_cast<size_t>(output)] = 1;
    before = row;
  }
  next_.output_rows = std::max<int64_t>(next_.output_rows, item.candidate_offset + item.candidate_count);
}

void StepPlanner::CheckPages(const StepBuffers& buffers, int32_t index) const {
  const sfumato_item& item = items_[static_cast<size_t>(index)];
  CheckField(index, "context_tokens", item.context_tokens, 0, KeepsPages() ? item.first_position : 0);
  const int64_t behind = item.following_tokens == 0 ? 0 : int64_t{item.token_count} + item.following_tokens;
  const int64_t tokens = item.context_tokens + WrittenTokens(item) + behind;
  const int64_t needed = (tokens + options_.page_tokens - 1) / options_.page_tokens;
  CheckField(index, "page_count", item.page_count, needed, static_cast<int64_t>(buffers.pages.size()));
  if (item.page_count == 0) return;
  CheckField(index, "page_offset", item.page_offset, 0, static_cast<int64_t>(buffers.pages.size()) - item.page_count);
  for (int32_t i = 0; i < item.page_count; ++i) {
    const int32_t page = buffers.pages[static_cast<size_t>(item.page_offset + i)];
    if (page < 0 || page >= options_.max_pages) {
      CheckRange(("pages[" + std::to_string(item.page_offset + i) + "]").c_str(), page, 0, options_.max_pages - 1);
    }
  }
}

void StepPlanner::CheckGuidance(int32_t index) const {
  const sfumato_item& item = items_[static_cast<size_t>(index)];
  const auto count = static_cast<int32_t>(items_.size());
  CheckField(index, "guidance_item", item.guidance_item, -1, count - 1);
  if (item.guidance_item < 0) return;
  const sfumato_item& guide = items_[static_cast<size_t>(item.guidance_item)];
  if (item.guidance_item == index || guide.guidance_item >= 0 || guide.kind != SFUMATO_ITEM_DENOISE ||
      item.kind != SFUMATO_ITEM_DENOISE || guide.token_count != item.token_count ||
      guide.block_length != item.block_length || guide.block_offset != item.block_offset) {
    Fail(SFUMATO_INVALID_ARGUMENT, FieldName(index, "guidance_item"), item.guidance_item,
         "another DENOISE item of " + std::to_string(item.token_count) +
             " tokens and the same blocks without guidance, for a DENOISE item");
  }
  if (!(std::fabs(item.guidance_scale) <= kMaxGuidanceScale)) {
    Fail(SFUMATO_INVALID_ARGUMENT, FieldName(index, "guidance_scale"), item.guidance_scale, "-10000..10000");
  }
}

void StepPlanner::CheckSlots() {
  std::fill(slot_used_.begin(), slot_used_.end(), uint8_t{0});
  for (const sfumato_item& item : items_) {
    if (item.guidance_item >= 0) is_guide_[static_cast<size_t>(item.guidance_item)] = 1;
  }
  for (size_t i = 0; i < items_.size(); ++i) {
    if (is_guide_[i] != 0) continue;
    uint8_t& used = slot_used_[static_cast<size_t>(items_[i].slot)];
    if (used != 0)
      Fail(SFUMATO_INVALID_ARGUMENT, FieldName(static_cast<int32_t>(i), "slot"), items_[i].slot,
           "a slot of one item only");
    used = 1;
  }
}

void StepPlanner::CheckPageWriters(const StepBuffers& buffers) {
  std::fill(page_writer_.begin(), page_writer_.end(), -1);
  const auto for_pages = [&](size_t i, bool written, const auto& body) {
    const sfumato_item& item = items_[i];
    // The page in which the context ends is written by the item as well as read.
    const int64_t first_written = WritesPages(item) ? item.context_tokens / options_.page_tokens : item.page_count;
    for (int32_t p = 0; p < item.page_count; ++p) {
      if ((p >= first_written) == written)
        body(static_cast<size_t>(buffers.pages[static_cast<size_t>(item.page_offset + p)]));
    }
  };
  for (size_t i = 0; i < items_.size(); ++i) {
    for_pages(i, true, [&](size_t page) {
      if (page_writer_[page] >= 0)
        Fail(SFUMATO_INVALID_ARGUMENT, FieldName(static_cast<int32_t>(i), "pages"), page,
             "pages that are written once");
      page_writer_[page] = static_cast<int32_t>(i);
    });
  }
  for (size_t i = 0; i < items_.size(); ++i) {
    for_pages(i, false, [&](size_t page) {
      if (page_writer_[page] >= 0)
        Fail(SFUMATO_INVALID_ARGUMENT, FieldName(static_cast<int32_t>(i), "pages"), page, "pages that no item writes");
    });
  }
}

void StepPlanner::AddItem(const StepBuffers& buffers, int32_t index) {
  const sfumato_item& item = items_[static_cast<size_t>(index)];
  StepLayout& layout = next_.layout;
  Sequence sequence;
  sequence.slot = item.slot;
  sequence.written = WrittenTokens(item);
  sequence.first_row = layout.rows();
  sequence.rows = item.token_count;
  sequence.first_position = item.first_position;
  sequence.context_tokens = item.context_tokens;
  sequence.following_tokens = item.following_tokens;
  const bool encodes = facts_.attention == SFUMATO_ATTENTION_ENCODER_CANVAS && WritesPages(item);
  sequence.block_length = encodes ? 1 : item.block_length;
  sequence.block_offset = item.block_offset;
  sequence.first_page = static_cast<int64_t>(layout.pages.size());
  layout.sequences.push_back(sequence);
  for (int32_t i = 0; i < item.token_count; ++i) {
    layout.tokens.push_back(CheckedToken(buffers, item.token_offset + i));
    layout.positions.push_back(item.first_position + i);
    next_.token_sources.push_back(item.token_offset + i);
  }
  for (int32_t i = 0; i < item.page_count; ++i)
    layout.pages.push_back(buffers.pages[static_cast<size_t>(item.page_offset + i)]);

  CandidateRules rules;
  rules.seed = item.seed;
  rules.block = static_cast<uint32_t>(item.block);
  rules.step = static_cast<uint32_t>(item.step);
  rules.temperature = item.temperature;
  rules.tempered_probabilities = (item.flags & SFUMATO_FLAG_TEMPERED_PROBABILITIES) != 0;
  rules.guidance_scale = item.guidance_item >= 0 ? item.guidance_scale : 0.0f;
  rules.top_count = item.top_count;
  rules.suppressed_count = item.suppressed_count;
  rules.unconfident_count = item.unconfident_count;
  for (int32_t i = 0; i < item.suppressed_count; ++i)
    rules.suppressed[i] = buffers.token_lists[static_cast<size_t>(item.suppressed_offset + i)];
  for (int32_t i = 0; i < item.unconfident_count; ++i)
    rules.unconfident[i] = buffers.token_lists[static_cast<size_t>(item.unconfident_offset + i)];
  layout.rules.push_back(rules);
}

void StepPlanner::AddCandidates(const StepBuffers& buffers) {
  struct Wanted {
    int32_t item;
    int32_t output;
    size_t row;     // of the position
    size_t source;  // whose output is about it
    size_t guide;   // whose output guides it
    bool guided;
  };
  StepLayout& layout = next_.layout;
  std::fill_n(row_selected_.begin(), layout.tokens.size(), uint8_t{0});
  const auto for_candidates = [&](const auto& body) {
    for (size_t i = 0; i < items_.size(); ++i) {
      const sfumato_item& item = items_[i];
      for (int32_t c = 0; c < item.candidate_count; ++c) {
        const int32_t output = item.candidate_offset + c;
        const auto row = static_cast<size_t>(buffers.candidate_rows[static_cast<size_t>(output)]);
        const size_t source = IsShifted(item) && row > 0 ? row - 1 : row;
        const auto first_row = static_cast<size_t>(layout.sequences[i].first_row);
        const bool guided = item.guidance_item >= 0;
        const size_t guide_row =
            guided ? static_cast<size_t>(layout.sequences[static_cast<size_t>(item.guidance_item)].first_row)
                   : first_row;
        body({static_cast<int32_t>(i), output, first_row + row, first_row + source, guide_row + source, guided});
      }
    }
  };
  for_candidates([&](const Wanted& wanted) { row_selected_[wanted.source] = row_selected_[wanted.guide] = 1; });
  for (Sequence& sequence : layout.sequences) {
    sequence.first_selected = layout.selected_rows();
    for (int64_t row = sequence.first_row; row < sequence.first_row + sequence.rows; ++row) {
      if (row_selected_[static_cast<size_t>(row)] == 0) continue;
      selected_index_[static_cast<size_t>(row)] = static_cast<int32_t>(layout.selected_rows());
      layout.selected.push_back(static_cast<int32_t>(row));
    }
    sequence.selected = layout.selected_rows() - sequence.first_selected;
  }
  for_candidates([&](const Wanted& wanted) {
    layout.candidates.push_back({wanted.item, wanted.output, static_cast<int32_t>(wanted.row),
                                 buffers.candidate_tokens[static_cast<size_t>(wanted.output)],
                                 selected_index_[wanted.source], wanted.guided ? selected_index_[wanted.guide] : -1,
                                 layout.candidates.empty() || layout.candidates.back().item != wanted.item ||
                                     layout.candidates.back().row != static_cast<int32_t>(wanted.row)});
  });
}

}  // namespace sfumato
