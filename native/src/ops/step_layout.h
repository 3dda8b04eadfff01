#ifndef SFUMATO_OPS_STEP_LAYOUT_H_
#define SFUMATO_OPS_STEP_LAYOUT_H_

#include <cstdint>
#include <vector>

#include "sfumato_engine.h"

namespace sfumato {

/// One item's place in the step's rows.
struct Sequence {
  int32_t slot = 0;
  /// Leading rows whose keys and values go to the pages.
  int64_t written = 0;
  int64_t first_row = 0;
  int64_t rows = 0;
  /// The item's share of StepLayout::selected.
  int64_t first_selected = 0;
  int64_t selected = 0;
  int64_t first_position = 0;
  int64_t context_tokens = 0;
  /// Tokens behind the item's own that its pages hold. Rows of the pages between them and the context are not read.
  int64_t following_tokens = 0;
  /// A row sees the item's rows up to the end of its block of positions, counted from -block_offset; all for length 0.
  int64_t block_length = 0;
  int64_t block_offset = 0;
  /// The item's share of StepLayout::pages.
  int64_t first_page = 0;

  /// Tokens of the context, the item and what follows it.
  int64_t keys() const { return context_tokens + rows + following_tokens; }
};

/// How an item's candidates are drawn and measured.
struct CandidateRules {
  uint64_t seed = 0;
  uint32_t block = 0;
  uint32_t step = 0;
  float temperature = 0;
  bool tempered_probabilities = false;
  float guidance_scale = 0;
  int32_t top_count = 0;
  int32_t suppressed_count = 0;
  int32_t unconfident_count = 0;
  int32_t suppressed[SFUMATO_MAX_TOKEN_LIST] = {};
  int32_t unconfident[SFUMATO_MAX_TOKEN_LIST] = {};
};

/// One position for which a candidate is wanted.
struct CandidateRow {
  /// Index of the item and of its CandidateRules.
  int32_t item = 0;
  /// Where the result goes in the output arrays.
  int32_t output = 0;
  /// The step's row of the position, for the token that stands there.
  int32_t row = 0;
  /// Token whose probability is wanted; -1 for the one that stands there.
  int32_t token = -1;
  /// Index in StepLayout::selected of the row whose output is about the position.
  int32_t selected = 0;
  /// Index in StepLayout::selected of the row that guides this one; -1 for none.
  int32_t guide = -1;
  /// Whether this is the first candidate of its row.
  bool first_of_row = true;
};

/// A checked step: flat rows of tokens, the items that they belong to, and the rows whose last hidden state is wanted.
/// Rows of an item are consecutive and in the items' order, and so are its selected rows. Its vectors are reserved once
/// and never grow beyond that.
struct StepLayout {
  std::vector<int32_t> tokens;     // [rows]
  std::vector<int32_t> positions;  // [rows]
  std::vector<int32_t> pages;
  std::vector<Sequence> sequences;
  std::vector<int32_t> selected;  // row of each selected row, ascending
  std::vector<CandidateRules> rules;
  std::vector<CandidateRow> candidates;

  int64_t rows() const { return static_cast<int64_t>(tokens.size()); }
  int64_t selected_rows() const { return static_cast<int64_t>(selected.size()); }
  bool all_selected() const { return selected.size() == tokens.size(); }
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_STEP_LAYOUT_H_
