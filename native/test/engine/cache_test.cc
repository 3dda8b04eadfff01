// The approximate cache of families whose positions all see each other: what pages hold counts as what was computed, and
// stays as it is until it is written again.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/test_engine.h"

namespace sfumato::test {
namespace {

constexpr int32_t kPageTokens = 4;
constexpr int32_t kLength = 22;

sfumato_options CacheOptions(const std::string& directory) {
  sfumato_options options;
  EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
  options.model_directory = directory.c_str();
  options.threads = 2;
  options.page_tokens = kPageTokens;
  options.max_pages = 24;
  options.approximate_cache = 1;
  return options;
}

std::vector<int32_t> Tokens(int32_t count, int32_t seed) {
  std::vector<int32_t> tokens;
  for (int32_t i = 0; i < count; ++i) tokens.push_back((seed + 37 * i + 11 * i * i) % 250);
  return tokens;
}

std::vector<int32_t> Part(const std::vector<int32_t>& tokens, int32_t first, int32_t end) {
  return {tokens.begin() + first, tokens.begin() + end};
}

std::vector<int32_t> Rows(int32_t first, int32_t end) {
  std::vector<int32_t> rows;
  for (int32_t row = first; row < end; ++row) rows.push_back(row);
  return rows;
}

const std::vector<int32_t> kPages = {5, 2, 9, 11, 3, 7};
const std::vector<int32_t> kOtherPages = {0, 1, 4, 6, 8, 10};

class CacheTest : public testing::TestWithParam<std::string> {
 protected:
  CacheTest() : directory_(Fixture(GetParam())), engine_(CacheOptions(directory_)) {
    std::fill_n(engine_.buffers().candidate_tokens, 256, -1);
  }

  void Clear() {
    engine_.Clear();
    listed_ = 0;
  }

  sfumato_item& Add(sfumato_item_kind kind, const std::vector<int32_t>& tokens, int32_t position,
                    const std::vector<int32_t>& pages, const std::vector<int32_t>& rows) {
    sfumato_item& item = engine_.Add(tokens, &rows);
    item.kind = kind;
    item.first_position = position;
    item.context_tokens = position;
    item.commit_tokens = kind == SFUMATO_ITEM_COMMIT ? item.token_count : 0;
    item.page_offset = listed_;
    item.page_count = static_cast<int32_t>(pages.size());
    std::copy(pages.begin(), pages.end(), engine_.buffers().pages + listed_);
    listed_ += item.page_count;
    return item;
  }

  /// A whole sequence whose keys and values go to the pages, with a candidate for every row.
  std::vector<float> Fill(const std::vector<int32_t>& tokens, const std::vector<int32_t>& pages = kPages) {
    Clear();
    Add(SFUMATO_ITEM_COMMIT, tokens, 0, pages, Rows(0, static_cast<int32_t>(tokens.size())));
    return Run();
  }

  /// The part first..end-1 of a sequence over pages that hold it from an earlier step.
  sfumato_item& AddPart(const std::vector<int32_t>& tokens, int32_t first, int32_t end,
                        const std::vector<int32_t>& pages = kPages) {
    sfumato_item& item = Add(SFUMATO_ITEM_DENOISE, Part(tokens, first, end), first, pages, Rows(0, end - first));
    item.following_tokens = static_cast<int32_t>(tokens.size()) - end;
    return item;
  }

  std::vector<float> Run() { return engine_.RunLogits(); }

  std::vector<float> LogitsOf(const std::vector<float>& all, int32_t first, int32_t end) {
    const int64_t vocabulary = engine_.info().vocabulary;
    return {all.begin() + first * vocabulary, all.begin() + end * vocabulary};
  }

  std::string PlanError() {
    EXPECT_EQ(sfumato_plan(engine_.get(), engine_.items()), SFUMATO_INVALID_ARGUMENT);
    return engine_.error();
  }

  std::string directory_;
  TestEngine engine_;
  int32_t listed_ = 0;
};

TEST_P(CacheTest, OverUnchangedTokensAPartComesToTheBitsOfTheWhole) {
  const std::vector<int32_t> tokens = Tokens(kLength, 5);
  const std::vector<float> whole = Fill(tokens);
  for (const auto& [first, end] : {std::pair{6, 14}, {0, 8}, {3, 4}, {13, kLength}, {0, kLength}, {21, kLength}}) {
    Clear();
    AddPart(tokens, first, end);
    EXPECT_EQ(LogitsOf(whole, first, end), Run()) << first << ".." << end;
  }
}

TEST_P(CacheTest, WritingChangesNoCandidate) {
  const std::vector<int32_t> tokens = Tokens(kLength, 7);
  const std::vector<float> written = Fill(tokens);
  Clear();
  Add(SFUMATO_ITEM_DENOISE, tokens, 0, {}, Rows(0, kLength));
  EXPECT_EQ(written, Run());
  // A part of the tokens may be written, and candidates may be among them.
  Clear();
  Add(SFUMATO_ITEM_COMMIT, tokens, 0, kPages, Rows(0, kLength)).commit_tokens = 5;
  EXPECT_EQ(written, Run());
}

TEST_P(CacheTest, WhatPagesHoldStaysUntilItIsWrittenAgain) {
  const std::vector<int32_t> tokens = Tokens(kLength, 5);
  Fill(tokens);
  std::vector<int32_t> changed = tokens;
  changed[8] = 201;  // of the part
  Clear();
  AddPart(changed, 6, 14);
  const std::vector<float> stale = Run();
  EXPECT_EQ(stale, Run());
  changed[2] = 202;  // of what the pages hold
  changed[20] = 203;
  Clear();
  AddPart(changed, 6, 14);
  EXPECT_EQ(stale, Run());

  const std::vector<float> fresh = Fill(changed);
  EXPECT_NE(stale, LogitsOf(fresh, 6, 14));
  Clear();
  AddPart(changed, 6, 14);
  EXPECT_EQ(LogitsOf(fresh, 6, 14), Run());
}

TEST_P(CacheTest, ThePartSeesAllThatItsItemNames) {
  const std::vector<int32_t> tokens = Tokens(kLength, 5);
  Fill(tokens);
  Clear();
  AddPart(tokens, 9, 13);
  const std::vector<float> both = Run();
  Clear();
  AddPart(tokens, 9, 13).following_tokens = 0;
  EXPECT_NE(both, Run());
  Clear();
  AddPart(tokens, 9, 13).context_tokens = 0;
  EXPECT_NE(both, Run());
}

TEST_P(CacheTest, ItemsOfAllKindsShareAStep) {
  const std::vector<int32_t> tokens = Tokens(kLength, 5);
  const std::vector<int32_t> others = Tokens(17, 60);
  Fill(tokens);
  std::vector<int32_t> changed = tokens;
  changed[8] = 201;
  Clear();
  AddPart(changed, 6, 14);
  const std::vector<float> alone = Run();

  Clear();
  Add(SFUMATO_ITEM_COMMIT, others, 0, kOtherPages, Rows(3, 9));
  AddPart(changed, 6, 14);
  Add(SFUMATO_ITEM_DENOISE, others, 0, {}, {});
  Add(SFUMATO_ITEM_PREFILL, others, 0, {12, 13, 14, 15, 16}, {});
  EXPECT_EQ(alone, LogitsOf(Run(), 6, 14));
}

TEST_P(CacheTest, APrefixMayBeWrittenInParts) {
  const std::vector<int32_t> tokens = Tokens(kLength, 5);
  Clear();
  Add(SFUMATO_ITEM_PREFILL, Part(tokens, 0, 3), 0, {5}, {});
  engine_.Run();
  Clear();
  Add(SFUMATO_ITEM_COMMIT, Part(tokens, 3, 6), 3, {5, 2}, Rows(0, 3));
  const std::vector<float> committed = Run();
  Clear();
  Add(SFUMATO_ITEM_DENOISE, Part(tokens, 6, 11), 6, {5, 2}, Rows(0, 5));
  const std::vector<float> over_both = Run();
  EXPECT_EQ(over_both, Run());
  Clear();
  Add(SFUMATO_ITEM_DENOISE, Part(tokens, 3, 6), 3, {5}, Rows(0, 3));
  EXPECT_EQ(committed, Run()) << "a COMMIT computes what a DENOISE of the same tokens does";
  Clear();
  Add(SFUMATO_ITEM_DENOISE, Part(tokens, 6, 11), 6, {5}, Rows(0, 5)).context_tokens = 3;
  EXPECT_NE(over_both, Run());
}

TEST_P(CacheTest, PagesAreChecked) {
  const std::vector<int32_t> tokens = Tokens(kLength, 5);
  const std::string most = std::to_string(engine_.buffers().pages_capacity);
  Clear();
  Add(SFUMATO_ITEM_PREFILL, Tokens(6, 1), 0, {5}, {});
  EXPECT_EQ(PlanError(), "items[0].page_count: 1 (expected: 2.." + most + ")");
  Clear();
  Add(SFUMATO_ITEM_PREFILL, Tokens(6, 1), 0, {5, 24}, {});
  EXPECT_EQ(PlanError(), "pages[1]: 24 (expected: 0..23)");
  Clear();
  Add(SFUMATO_ITEM_DENOISE, Tokens(5, 1), 4, {5}, {}).first_position = 3;
  EXPECT_EQ(PlanError(), "items[0].context_tokens: 4 (expected: 0..3)");
  Clear();
  Add(SFUMATO_ITEM_DENOISE, Tokens(5, 1), 3, {}, {});
  EXPECT_EQ(PlanError(), "items[0].page_count: 0 (expected: 1.." + most + ")");
  Clear();
  AddPart(tokens, 6, 14, {5, 2, 9, 11, 3});
  EXPECT_EQ(PlanError(), "items[0].page_count: 5 (expected: 6.." + most + ")");
  Clear();
  Add(SFUMATO_ITEM_PREFILL, Tokens(6, 1), 0, {5, 6}, {});
  Add(SFUMATO_ITEM_PREFILL, Tokens(6, 1), 0, {7, 6}, {});
  EXPECT_EQ(PlanError(), "items[1].pages: 6 (expected: pages that are written once)");
  Clear();
  Add(SFUMATO_ITEM_PREFILL, Tokens(6, 1), 0, {5, 6}, {});
  AddPart(tokens, 6, 14, {0, 1, 2, 3, 4, 6});
  EXPECT_EQ(PlanError(), "items[1].pages: 6 (expected: pages that no item writes)");
  Clear();
  Add(SFUMATO_ITEM_PREFILL, {1, 2}, 0, {5, 5}, {});
  EXPECT_EQ(PlanError(), "items[0].pages: 5 (expected: pages that are written once)");
}

TEST_P(CacheTest, OnlyTokensThatSeeEverythingMayHaveSomeBehindThem) {
  const std::vector<int32_t> tokens = Tokens(kLength, 5);
  const auto error = [&](const auto& change) {
    Clear();
    change(AddPart(tokens, 6, 14));
    return PlanError();
  };
  const int32_t room = engine_.info().max_positions - 14;
  EXPECT_EQ(error([&](sfumato_item& item) { item.following_tokens = room + 1; }),
            "items[0].following_tokens: " + std::to_string(room + 1) + " (expected: 0.." + std::to_string(room) + ")");
  EXPECT_EQ(error([](sfumato_item& item) { item.following_tokens = -1; }),
            "items[0].following_tokens: -1 (expected: 0.." + std::to_string(room) + ")");
  EXPECT_EQ(error([](sfumato_item& item) {
              item.kind = SFUMATO_ITEM_COMMIT;
              item.commit_tokens = 8;
            }),
            "items[0].following_tokens: 8 (expected: 0..0)");
  if (engine_.info().attention == SFUMATO_ATTENTION_FULL) return;
  EXPECT_EQ(error([](sfumato_item& item) { item.block_length = 2; }), "items[0].following_tokens: 8 (expected: 0..0)");
  EXPECT_EQ(error([](sfumato_item& item) {
              item.kind = SFUMATO_ITEM_COMMIT;
              item.commit_tokens = 7;
              item.following_tokens = 0;
              item.block_length = 2;
            }),
            "items[0].commit_tokens: 7 (expected: tokens up to the end of a block, since keys of an unfinished one "
            "would change)");
}

INSTANTIATE_TEST_SUITE_P(All, CacheTest,
                         testing::Values("llada", "llada_moe", "dream", "a2d_qwen2", "a2d_qwen3", "bert_mlm",
                                         "modernbert_mlm"),
                         [](const auto& info) { return info.param; });

TEST(CacheOptionTest, TheInfoTellsWhetherThereIsAnApproximateCache) {
  struct Case {
    const char* family;
    int32_t asked, pages, has;
  };
  for (const Case& c : {Case{"llada", 1, 4, 1},
                        {"llada", 1, 0, 0},
                        {"llada", 0, 0, 0},
                        {"sdar", 1, 4, 0},
                        {"a2d_qwen2", 1, 4, 1},
                        {"a2d_qwen2", 0, 4, 0},
                        {"diffusion_gemma", 1, 4, 0}}) {
    const std::string directory = Fixture(c.family);
    sfumato_options options = CacheOptions(directory);
    options.approximate_cache = c.asked;
    options.max_pages = c.pages;
    TestEngine engine(options);
    EXPECT_EQ(engine.info().approximate_cache, c.has) << c.family;
    EXPECT_EQ(engine.info().has_key_value_cache, engine.info().attention == SFUMATO_ATTENTION_FULL ? 0 : 1);
  }
  const std::string directory = Fixture("llada");
  sfumato_options options = CacheOptions(directory);
  sfumato_engine* engine = nullptr;
  options.approximate_cache = 2;
  EXPECT_EQ(sfumato_open(&options, &engine), SFUMATO_INVALID_ARGUMENT);
  EXPECT_STREQ(sfumato_last_error(nullptr), "approximate_cache: 2 (expected: 0..1)");
}

TEST(CacheOptionTest, BlocksStayExactWithoutIt) {
  const std::string directory = Fixture("a2d_qwen2");
  sfumato_options options = CacheOptions(directory);
  options.approximate_cache = 0;
  TestEngine engine(options);
  engine.Clear();
  sfumato_item& item = engine.Add(Tokens(6, 1));
  item.kind = SFUMATO_ITEM_PREFILL;
  item.page_count = 2;
  engine.buffers().pages[0] = 0;
  engine.buffers().pages[1] = 1;
  EXPECT_EQ(sfumato_plan(engine.get(), 1), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(engine.error(),
            "items[0].token_count: 6 (expected: tokens up to the end of a block, since keys of an unfinished one would "
            "change)");
}

}  // namespace
}  // namespace sfumato::test
