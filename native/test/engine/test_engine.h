#ifndef SFUMATO_TEST_ENGINE_TEST_ENGINE_H_
#define SFUMATO_TEST_ENGINE_TEST_ENGINE_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "sfumato_engine.h"

namespace sfumato::test {

/// SFUMATO_FIXTURES of the environment is for programs that run on another machine than the one that built them.
inline std::string Fixture(const std::string& name) {
  const char* moved = std::getenv("SFUMATO_FIXTURES");
  return std::string(moved == nullptr ? SFUMATO_FIXTURES : moved) + "/" + name;
}

/// An open engine behind the C interface, closed at the end of its scope.
class TestEngine {
 public:
  explicit TestEngine(const std::string& directory, int threads = 2,
                      sfumato_instruction_set instruction_set = SFUMATO_ISA_AUTO,
                      sfumato_product_type products = SFUMATO_PRODUCT_AUTO) {
    sfumato_options options;
    EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
    options.model_directory = directory.c_str();
    options.threads = threads;
    options.instruction_set = instruction_set;
    options.product_type = products;
    options.max_top_candidates = 5;
    Open(options);
  }
  explicit TestEngine(const sfumato_options& options) { Open(options); }
  ~TestEngine() { sfumato_close(engine_); }

  TestEngine(const TestEngine&) = delete;
  TestEngine& operator=(const TestEngine&) = delete;

  sfumato_engine* get() { return engine_; }
  sfumato_info& info() { return info_; }
  sfumato_buffers& buffers() { return buffers_; }
  std::string error() const { return sfumato_last_error(engine_); }

  /// A DENOISE item over the tokens, with a candidate for every row unless rows are given. Call Clear before the first
  /// of a step.
  sfumato_item& Add(const std::vector<int32_t>& tokens, const std::vector<int32_t>* rows = nullptr) {
    sfumato_item& item = buffers_.items[items_];
    item = {};
    item.kind = SFUMATO_ITEM_DENOISE;
    item.slot = items_;
    item.token_offset = tokens_;
    item.token_count = static_cast<int32_t>(tokens.size());
    item.candidate_offset = candidates_;
    item.guidance_item = -1;
    item.step = 1;
    for (const int32_t token : tokens) buffers_.tokens[tokens_++] = token;
    if (rows != nullptr) {
      for (const int32_t row : *rows) buffers_.candidate_rows[candidates_++] = row;
    } else {
      for (int32_t row = 0; row < item.token_count; ++row) buffers_.candidate_rows[candidates_++] = row;
    }
    item.candidate_count = candidates_ - item.candidate_offset;
    ++items_;
    return item;
  }

  void Clear() { items_ = tokens_ = candidates_ = 0; }
  int32_t items() const { return items_; }
  int32_t candidates() const { return candidates_; }

  void Run() {
    ASSERT_EQ(sfumato_plan(engine_, items_), SFUMATO_OK) << error();
    ASSERT_EQ(sfumato_run(engine_), SFUMATO_OK) << error();
  }

  /// Runs the step and returns the logits of all candidate rows.
  std::vector<float> RunLogits() {
    std::vector<float> logits(static_cast<size_t>(candidates_) * static_cast<size_t>(info_.vocabulary));
    EXPECT_EQ(sfumato_plan(engine_, items_), SFUMATO_OK) << error();
    EXPECT_EQ(sfumato_run_logits(engine_, logits.data(), logits.size()), SFUMATO_OK) << error();
    return logits;
  }

 private:
  void Open(const sfumato_options& options) {
    EXPECT_EQ(sfumato_open(&options, &engine_), SFUMATO_OK) << sfumato_last_error(nullptr);
    info_.struct_size = sizeof(info_);
    EXPECT_EQ(sfumato_get_info(engine_, &info_), SFUMATO_OK);
    buffers_.struct_size = sizeof(buffers_);
    EXPECT_EQ(sfumato_get_buffers(engine_, &buffers_), SFUMATO_OK);
  }

  sfumato_engine* engine_ = nullptr;
  sfumato_info info_ = {};
  sfumato_buffers buffers_ = {};
  int32_t items_ = 0;
  int32_t tokens_ = 0;
  int32_t candidates_ = 0;
};

/// The instruction sets that this CPU can run.
std::vector<sfumato_instruction_set> SupportedInstructionSets();

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_ENGINE_TEST_ENGINE_H_
