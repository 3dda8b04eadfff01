// PREFILL, DENOISE and COMMIT over pages, with the families at hand: full attention makes a cached prefix an
// approximation, which is why the C interface refuses it; what it must compute is known all the same.
#include <cmath>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/test_engine.h"

namespace sfumato::test {
namespace {

constexpr int32_t kPageTokens = 4;

EngineOptions CacheOptions(const std::string& directory) {
  EngineOptions options;
  options.model_directory = directory;
  options.threads = 2;
  options.instruction_set = BestInstructionSet();
  options.max_slots = 4;
  options.max_items = 4;
  options.max_batch_tokens = 64;
  options.max_candidates = 64;
  options.page_tokens = kPageTokens;
  options.max_pages = 8;
  options.approximate_cache = true;
  return options;
}

class CacheTest : public testing::Test {
 protected:
  CacheTest() : engine_(CacheOptions(Fixture("llada"))) {}

  sfumato_item& Add(sfumato_item_kind kind, const std::vector<int32_t>& tokens, int32_t context,
                    const std::vector<int32_t>& pages, bool candidates) {
    StepBuffers& b = engine_.buffers();
    sfumato_item& item = b.items[static_cast<size_t>(items_)];
    item = {};
    item.kind = kind;
    item.commit_tokens = kind == SFUMATO_ITEM_COMMIT ? static_cast<int32_t>(tokens.size()) : 0;
    item.slot = items_++;
    item.first_position = context;
    item.context_tokens = context;
    item.token_offset = tokens_;
    item.token_count = static_cast<int32_t>(tokens.size());
    item.candidate_offset = candidates_;
    item.candidate_count = candidates ? item.token_count : 0;
    item.page_offset = pages_;
    item.page_count = static_cast<int32_t>(pages.size());
    item.guidance_item = -1;
    item.step = 1;
    for (const int32_t token : tokens) b.tokens[static_cast<size_t>(tokens_++)] = token;
    for (const int32_t page : pages) b.pages[static_cast<size_t>(pages_++)] = page;
    for (int32_t i = 0; i < item.candidate_count; ++i) b.candidate_rows[static_cast<size_t>(candidates_++)] = i;
    return item;
  }

  void Clear() { items_ = tokens_ = pages_ = candidates_ = 0; }

  std::vector<float> Run() {
    std::vector<float> logits(static_cast<size_t>(candidates_) * 288);
    engine_.Plan(items_);
    engine_.Run(logits.empty() ? nullptr : logits.data(), logits.size());
    return logits;
  }

  std::string PlanError() {
    try {
      engine_.Plan(items_);
      return "";
    } catch (const Error& e) {
      return e.what();
    }
  }

  Engine engine_;
  int32_t items_ = 0;
  int32_t tokens_ = 0;
  int32_t pages_ = 0;
  int32_t candidates_ = 0;
};

const std::vector<int32_t> kPrefix = {11, 22, 33, 44, 55, 66};
const std::vector<int32_t> kCanvas = {281, 77, 281, 88, 281};

TEST_F(CacheTest, DenoisingOverAPrefilledPrefixReadsItsPagesAndLeavesThemAlone) {
  Add(SFUMATO_ITEM_PREFILL, kPrefix, 0, {5, 2}, false);
  Run();
  Clear();
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 6, {5, 2}, true);
  const std::vector<float> first = Run();
  EXPECT_EQ(first, Run());

  // Other pages, the same context.
  Clear();
  Add(SFUMATO_ITEM_PREFILL, kPrefix, 0, {0, 7}, false);
  Run();
  Clear();
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 6, {0, 7}, true);
  EXPECT_EQ(first, Run());

  // Without its context the canvas comes out otherwise.
  Clear();
  sfumato_item& alone = Add(SFUMATO_ITEM_DENOISE, kCanvas, 0, {}, true);
  alone.first_position = 6;
  EXPECT_NE(first, Run());
}

TEST_F(CacheTest, ItemsOfAllKindsShareAStep) {
  Add(SFUMATO_ITEM_PREFILL, kPrefix, 0, {5, 2}, false);
  Run();
  Clear();
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 6, {5, 2}, true);
  const std::vector<float> alone = Run();
  Clear();
  Add(SFUMATO_ITEM_PREFILL, {9, 8, 7}, 0, {1}, false);
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 6, {5, 2}, true);
  Add(SFUMATO_ITEM_COMMIT, {1, 2}, 0, {3}, false);
  EXPECT_EQ(alone, Run());
}

TEST_F(CacheTest, ACommitExtendsTheContext) {
  // A prefix in two parts: the second sees the first, and a canvas sees both.
  Add(SFUMATO_ITEM_PREFILL, {11, 22, 33}, 0, {4}, false);
  Run();
  Clear();
  Add(SFUMATO_ITEM_COMMIT, {44, 55, 66}, 3, {4, 6}, true);
  const std::vector<float> committed = Run();
  Clear();
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 6, {4, 6}, true);
  const std::vector<float> over_both = Run();
  Clear();
  Add(SFUMATO_ITEM_DENOISE, {44, 55, 66}, 3, {4}, true);
  EXPECT_EQ(committed, Run()) << "a COMMIT computes what a DENOISE of the same tokens does";
  Clear();
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 3, {4}, true).first_position = 6;
  EXPECT_NE(over_both, Run());
}

TEST_F(CacheTest, PagesAreChecked) {
  Add(SFUMATO_ITEM_PREFILL, kPrefix, 0, {5}, false);
  EXPECT_EQ(PlanError(),
            "items[0].page_count: 1 (expected: 2.." + std::to_string(engine_.buffers().pages.size()) + ")");
  Clear();
  Add(SFUMATO_ITEM_PREFILL, kPrefix, 0, {5, 8}, false);
  EXPECT_EQ(PlanError(), "pages[1]: 8 (expected: 0..7)");
  Clear();
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 4, {5}, false).first_position = 3;
  EXPECT_EQ(PlanError(), "items[0].context_tokens: 4 (expected: 0..3)");
  Clear();
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 3, {}, false);
  EXPECT_EQ(PlanError(),
            "items[0].page_count: 0 (expected: 1.." + std::to_string(engine_.buffers().pages.size()) + ")");
  Clear();
  Add(SFUMATO_ITEM_PREFILL, kPrefix, 0, {5, 6}, false);
  Add(SFUMATO_ITEM_PREFILL, kPrefix, 0, {7, 6}, false);
  EXPECT_EQ(PlanError(), "items[1].pages: 6 (expected: pages that are written once)");
  Clear();
  Add(SFUMATO_ITEM_PREFILL, kPrefix, 0, {5, 6}, false);
  Add(SFUMATO_ITEM_DENOISE, kCanvas, 4, {6}, false);
  EXPECT_EQ(PlanError(), "items[1].pages: 6 (expected: pages that no item writes)");
  Clear();
  Add(SFUMATO_ITEM_PREFILL, {1, 2}, 0, {5, 5}, false);
  EXPECT_EQ(PlanError(), "items[0].pages: 5 (expected: pages that are written once)");
}

}  // namespace
}  // namespace sfumato::test
