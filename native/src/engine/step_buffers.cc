#include "engine/step_buffers.h"

#include <algorithm>

namespace sfumato {
namespace {

constexpr int64_t kMaxPageReferences = 1 << 24;

/// Page references of a step in which every item has the longest context.
int64_t PagesCapacity(const EngineOptions& options, int64_t max_positions) {
  if (options.max_pages == 0) return 0;
  const int64_t pages_of_one = (max_positions + options.page_tokens - 1) / options.page_tokens;
  return std::min(options.max_items * pages_of_one, kMaxPageReferences);
}

}  // namespace

StepBuffers::StepBuffers(const EngineOptions& options, int64_t max_positions)
    : items(static_cast<size_t>(options.max_items)),
      tokens(static_cast<size_t>(options.max_batch_tokens)),
      candidate_rows(static_cast<size_t>(options.max_candidates)),
      candidate_tokens(candidate_rows.size()),
      pages(static_cast<size_t>(PagesCapacity(options, max_positions))),
      token_lists(static_cast<size_t>(options.max_items * 2 * SFUMATO_MAX_TOKEN_LIST)),
      sampled_token(candidate_rows.size()),
      sampled_probability(candidate_rows.size()),
      best_token(candidate_rows.size()),
      best_probability(candidate_rows.size()),
      second_probability(candidate_rows.size()),
      entropy(candidate_rows.size()),
      input_probability(candidate_rows.size()),
      top_tokens(candidate_rows.size() * static_cast<size_t>(options.max_top_candidates)),
      top_probabilities(top_tokens.size()),
      top_capacity(options.max_top_candidates) {
  std::fill_n(candidate_tokens.data(), candidate_tokens.size(), -1);
  std::fill_n(top_tokens.data(), top_tokens.size(), -1);
}

sfumato_buffers StepBuffers::Describe() {
  sfumato_buffers described = {};
  described.struct_size = sizeof(sfumato_buffers);
  described.items = items.data();
  described.tokens = tokens.data();
  described.candidate_rows = candidate_rows.data();
  described.candidate_tokens = candidate_tokens.data();
  described.pages = pages.data();
  described.token_lists = token_lists.data();
  described.pages_capacity = static_cast<int64_t>(pages.size());
  described.token_lists_capacity = static_cast<int64_t>(token_lists.size());
  described.sampled_token = sampled_token.data();
  described.sampled_probability = sampled_probability.data();
  described.best_token = best_token.data();
  described.best_probability = best_probability.data();
  described.second_probability = second_probability.data();
  described.entropy = entropy.data();
  described.input_probability = input_probability.data();
  described.top_tokens = top_tokens.data();
  described.top_probabilities = top_probabilities.data();
  return described;
}

CandidateOutputs StepBuffers::Outputs() {
  return {sampled_token.data(),      sampled_probability.data(),
          best_token.data(),         best_probability.data(),
          second_probability.data(), entropy.data(),
          input_probability.data(),  top_tokens.data(),
          top_probabilities.data(),  top_capacity};
}

int64_t StepBuffers::bytes() const {
  return items.bytes() + tokens.bytes() + 2 * candidate_rows.bytes() + pages.bytes() + token_lists.bytes() +
         4 * sampled_token.bytes() + 3 * entropy.bytes() + 2 * top_tokens.bytes();
}

}  // namespace sfumato
