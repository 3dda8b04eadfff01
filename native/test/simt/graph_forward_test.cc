// Whole models with graphs and without: the same bits, in every step.
#include "engine/test_engine.h"

namespace sfumato::test {
namespace {

class GraphForwardTest : public testing::TestWithParam<std::string> {};

TEST_P(GraphForwardTest, StepsThatComeAgainHaveTheSameBits) {
  const std::string directory = Fixture(GetParam());
  sfumato_options options;
  ASSERT_EQ(sfumato_default_options(&options), SFUMATO_OK);
  options.model_directory = directory.c_str();
  options.threads = 1;
  TestEngine graphs(options);
  options.device_profile = 1;  // without graphs
  TestEngine plain(options);
  const std::vector<int32_t> tokens = {5, 17, 44, 3, 99, 100, 21};
  const std::vector<int32_t> rows = {2, 5, 6};
  std::vector<float> first;
  for (int step = 0; step < 3; ++step) {
    std::vector<float> logits[2];
    for (TestEngine* engine : {&graphs, &plain}) {
      engine->Clear();
      for (int item = 0; item <= step % 2; ++item) {
        sfumato_item& added = engine->Add(tokens, &rows);
        added.temperature = 0.8f;
        added.seed = 7;
        if (engine->info().attention == SFUMATO_ATTENTION_BLOCK_CAUSAL) added.block_length = 4;
      }
      logits[engine == &graphs ? 0 : 1] = engine->RunLogits();
    }
    EXPECT_EQ(logits[0], logits[1]) << step;
    for (int32_t row = 0; row < graphs.candidates(); ++row) {
      EXPECT_EQ(graphs.buffers().sampled_token[row], plain.buffers().sampled_token[row]);
      EXPECT_EQ(graphs.buffers().entropy[row], plain.buffers().entropy[row]);
      EXPECT_EQ(graphs.buffers().best_probability[row], plain.buffers().best_probability[row]);
    }
    if (step == 0) first = logits[0];
    EXPECT_TRUE(std::equal(first.begin(), first.end(), logits[0].begin())) << step;
  }
}

INSTANTIATE_TEST_SUITE_P(All, GraphForwardTest, testing::Values("llada", "llada2_moe", "modernbert_mlm"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace sfumato::test
