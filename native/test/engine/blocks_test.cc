// Block-causal families through the C interface: what is cached is what would be computed.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/test_engine.h"

namespace sfumato::test {
namespace {

constexpr int32_t kBlock = 4;
constexpr int32_t kPageTokens = 8;

sfumato_options CachedOptions(const std::string& directory) {
  sfumato_options options;
  EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
  options.model_directory = directory.c_str();
  options.threads = 2;
  options.page_tokens = kPageTokens;
  options.max_pages = 16;
  return options;
}

std::vector<int32_t> Tokens(int32_t count, int32_t seed) {
  std::vector<int32_t> tokens;
  for (int32_t i = 0; i < count; ++i) tokens.push_back((seed + 37 * i + 11 * i * i) % 250);
  return tokens;
}

class BlocksTest : public testing::TestWithParam<std::string> {
 protected:
  BlocksTest() : directory_(Fixture(GetParam())), engine_(CachedOptions(directory_)) {
    std::fill_n(engine_.buffers().candidate_tokens, 256, -1);
  }

  /// An item over the tokens at a position, whose context and what it writes lie on pages 3, 1, 4, 0.
  sfumato_item& Add(sfumato_item_kind kind, const std::vector<int32_t>& tokens, int32_t position, int32_t context,
                    const std::vector<int32_t>& rows) {
    static constexpr int32_t kPages[] = {3, 1, 4, 0};
    sfumato_item& item = engine_.Add(tokens, &rows);
    item.kind = kind;
    item.first_position = position;
    item.context_tokens = context;
    item.block_length = kBlock;
    item.block_offset = 0;
    item.page_count = 4;
    std::copy_n(kPages, 4, engine_.buffers().pages);
    return item;
  }

  std::vector<float> Run() { return engine_.RunLogits(); }
  void Write() { engine_.Run(); }

  std::string directory_;
  TestEngine engine_;
};

std::vector<int32_t> Join(std::vector<int32_t> a, const std::vector<int32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_P(BlocksTest, ACachedContextGivesTheBitsOfARecomputedOne) {
  const std::vector<int32_t> prompt = Tokens(12, 5);
  const std::vector<int32_t> block = Tokens(4, 90);
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, Join(prompt, block), 0, 0, {12, 13, 14, 15});
  const std::vector<float> whole = Run();

  engine_.Clear();
  Add(SFUMATO_ITEM_PREFILL, std::vector<int32_t>(prompt.begin(), prompt.begin() + 8), 0, 0, {});
  Write();
  engine_.Clear();
  Add(SFUMATO_ITEM_PREFILL, std::vector<int32_t>(prompt.begin() + 8, prompt.end()), 8, 8, {});
  Write();
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, block, 12, 12, {0, 1, 2, 3});
  EXPECT_EQ(whole, Run());

  // One token more than needed before the block, as shifted logits want it.
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, Join({prompt[11]}, block), 11, 11, {1, 2, 3, 4});
  EXPECT_EQ(whole, Run());
}

TEST_P(BlocksTest, ABlockIsCommittedInTheStepThatBeginsTheNext) {
  const std::vector<int32_t> prompt = Tokens(8, 5);
  const std::vector<int32_t> finished = Tokens(4, 90);
  const std::vector<int32_t> next = Tokens(4, 160);
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, Join(Join(prompt, finished), next), 0, 0, {12, 13, 14, 15});
  const std::vector<float> whole = Run();
  engine_.Clear();
  Add(SFUMATO_ITEM_PREFILL, prompt, 0, 0, {});
  Write();
  engine_.Clear();
  Add(SFUMATO_ITEM_COMMIT, Join(finished, next), 8, 8, {4, 5, 6, 7}).commit_tokens = 4;
  EXPECT_EQ(whole, Run());
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, next, 12, 12, {0, 1, 2, 3});
  EXPECT_EQ(whole, Run());
}

TEST_P(BlocksTest, ShiftedLogitsAreThoseOfTheRowBefore) {
  const std::vector<int32_t> tokens = Tokens(8, 5);
  const auto vocabulary = static_cast<size_t>(engine_.info().vocabulary);
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, tokens, 0, 0, {0, 1, 2, 3});
  const std::vector<float> plain = Run();
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, tokens, 0, 0, {0, 1, 2, 3}).flags = SFUMATO_FLAG_SHIFTED_LOGITS;
  const std::vector<float> moved = Run();
  const auto row = [vocabulary](const std::vector<float>& logits, size_t index) {
    return std::vector<float>(logits.begin() + static_cast<int64_t>(index * vocabulary),
                              logits.begin() + static_cast<int64_t>((index + 1) * vocabulary));
  };
  EXPECT_EQ(row(moved, 0), row(plain, 0));
  for (size_t i = 1; i < 4; ++i) EXPECT_EQ(row(moved, i), row(plain, i - 1)) << i;
}

TEST_P(BlocksTest, OnlyWholeBlocksAreWritten) {
  const auto error = [this] {
    EXPECT_EQ(sfumato_plan(engine_.get(), 1), SFUMATO_INVALID_ARGUMENT);
    return engine_.error();
  };
  engine_.Clear();
  Add(SFUMATO_ITEM_PREFILL, Tokens(6, 1), 0, 0, {});
  EXPECT_EQ(error(),
            "items[0].token_count: 6 (expected: tokens up to the end of a block, since keys of an unfinished one would "
            "change)");
  engine_.Clear();
  Add(SFUMATO_ITEM_PREFILL, Tokens(6, 1), 0, 0, {}).block_offset = 2;
  EXPECT_EQ(sfumato_plan(engine_.get(), 1), SFUMATO_OK) << engine_.error();
  engine_.Clear();
  Add(SFUMATO_ITEM_COMMIT, Tokens(8, 1), 0, 0, {}).commit_tokens = 3;
  EXPECT_EQ(
      error(),
      "items[0].commit_tokens: 3 (expected: tokens up to the end of a block, since keys of an unfinished one would "
      "change)");
  engine_.Clear();
  Add(SFUMATO_ITEM_COMMIT, Tokens(8, 1), 0, 0, {}).commit_tokens = 0;
  EXPECT_EQ(error(), "items[0].commit_tokens: 0 (expected: 1..8)");
}

INSTANTIATE_TEST_SUITE_P(All, BlocksTest,
                         testing::Values("sdar", "sdar_moe", "llada2_moe", "fast_dllm_v2", "a2d_qwen2", "a2d_qwen3"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace sfumato::test
