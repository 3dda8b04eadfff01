#ifndef SFUMATO_ENGINE_STEP_PLANNER_H_
#define SFUMATO_ENGINE_STEP_PLANNER_H_

#include <string>
#include <vector>

#include "engine/engine_options.h"
#include "engine/step_buffers.h"
#include "models/model.h"
#include "ops/step_layout.h"

namespace sfumato {

/// Checks a step that the caller describes and copies it into a layout, so that nothing the caller writes later can
/// reach outside. Allocates nothing unless it throws.
class StepPlanner {
 public:
  StepPlanner(const EngineOptions& options, const ModelFacts& facts, int64_t pages_capacity);

  /// Throws INVALID_ARGUMENT or FAILED_PRECONDITION and leaves the last layout as it was.
  void Plan(const StepBuffers& buffers, int32_t item_count);

  /// Copies the tokens of the planned step again. Throws INVALID_ARGUMENT when one is out of range and leaves the old
  /// ones.
  void RefreshTokens(const StepBuffers& buffers);

  const StepLayout& layout() const { return current_.layout; }

  /// One more than the highest output index of the planned candidates.
  int64_t output_rows() const { return current_.output_rows; }

  int64_t bytes() const;

 private:
  struct Planned {
    StepLayout layout;
    std::vector<int32_t> token_sources;  // [rows] index in the caller's tokens
    int64_t output_rows = 0;
  };

  /// Names of a token list and of the fields that say where it lies.
  struct TokenListFields {
    const char* name;
    const char* offset;
    const char* count;
  };

  bool KeepsPages() const { return facts_.key_value_cache || options_.approximate_cache; }
  void CheckItem(const StepBuffers& buffers, int32_t index);
  void CheckBlocks(int32_t index) const;
  void CheckEncoderCanvas(int32_t index) const;
  void CheckRandomness(int32_t index) const;
  void CheckGuidance(int32_t index) const;
  void CheckCandidates(const StepBuffers& buffers, int32_t index);
  void CheckPages(const StepBuffers& buffers, int32_t index) const;
  void CheckTokenList(const StepBuffers& buffers, int32_t index, const TokenListFields& fields, int32_t offset,
                      int32_t count) const;
  void CheckSlots();
  void CheckPageWriters(const StepBuffers& buffers);
  void AddItem(const StepBuffers& buffers, int32_t index);
  void AddCandidates(const StepBuffers& buffers);
  int32_t CheckedToken(const StepBuffers& buffers, int32_t source) const;

  const EngineOptions options_;
  const ModelFacts facts_;
  Planned current_;
  Planned next_;
  std::vector<sfumato_item> items_;  // a copy of the caller's

  std::vector<uint8_t> output_used_;     // [max_candidates]
  std::vector<uint8_t> is_guide_;        // [max_items]
  std::vector<uint8_t> slot_used_;       // [max_slots]
  std::vector<uint8_t> row_selected_;    // [max_batch_tokens]
  std::vector<int32_t> selected_index_;  // [max_batch_tokens]
  std::vector<int32_t> page_writer_;     // [max_pages] item that writes the page, or -1
};

}  // namespace sfumato

#endif  // SFUMATO_ENGINE_STEP_PLANNER_H_
