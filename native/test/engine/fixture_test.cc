// Forward cases of the reference fixtures, through the C interface.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "engine/test_engine.h"
#include "io/safetensors.h"

namespace sfumato::test {
namespace {

constexpr double kTolerance = 2e-4;
constexpr double kClearGap = 1e-3;

class FixtureTest : public testing::TestWithParam<std::tuple<std::string, sfumato_instruction_set>> {};

TEST_P(FixtureTest, ForwardCasesMatchTheReference) {
  const auto& [name, instruction_set] = GetParam();
  std::ifstream stream(Fixture(name) + "/golden.json");
  const nlohmann::json golden = nlohmann::json::parse(stream);
  const SafetensorsFile arrays(Fixture(name) + "/golden.safetensors");
  TestEngine engine(Fixture(name), 2, instruction_set);
  const auto vocabulary = static_cast<size_t>(engine.info().vocabulary);
  ASSERT_FALSE(golden["forward"].empty());
  for (const auto& c : golden["forward"]) {
    SCOPED_TRACE(c["name"].get<std::string>());
    const auto tokens = c["input_ids"].get<std::vector<int32_t>>();
    engine.Clear();
    sfumato_item& item = engine.Add(tokens);
    item.block_length = c.value("block_length", 0);
    if (item.block_length > 0) item.block_offset = c.value("left_padding", 0) % item.block_length;
    const std::vector<float> logits = engine.RunLogits();

    if (!c["logits"].is_null()) {
      const TensorView& expected = arrays.tensors().at(c["logits"].get<std::string>());
      ASSERT_EQ(expected.size(), static_cast<int64_t>(logits.size()));
      std::vector<float> values(logits.size());
      ReadFloats(expected, 0, expected.size(), values.data());
      double worst = 0;
      for (size_t i = 0; i < values.size(); ++i) worst = std::max<double>(worst, std::fabs(values[i] - logits[i]));
      EXPECT_LE(worst, kTolerance);
    }
    for (size_t row = 0; row < tokens.size(); ++row) {
      if (c["top2_gap"][row].get<double>() > kClearGap) {
        EXPECT_EQ(engine.buffers().best_token[row], c["argmax"][row].get<int32_t>()) << row;
      }
      EXPECT_EQ(engine.buffers().sampled_token[row], engine.buffers().best_token[row]);
      EXPECT_NEAR(engine.buffers().best_probability[row], c["max_prob"][row].get<double>(), kTolerance) << row;
      EXPECT_NEAR(engine.buffers().entropy[row], c["entropy"][row].get<double>(), kTolerance) << row;
      const float* row_logits = logits.data() + row * vocabulary;
      EXPECT_EQ(engine.buffers().best_token[row], std::max_element(row_logits, row_logits + vocabulary) - row_logits);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, FixtureTest,
    testing::Combine(testing::Values("llada", "llada_moe", "llada2_moe", "dream", "a2d_qwen2", "a2d_qwen3", "sdar",
                                     "sdar_moe", "fast_dllm_v2", "bert_mlm", "modernbert_mlm"),
                     testing::ValuesIn(SupportedInstructionSets())),
    [](const auto& info) { return std::get<0>(info.param) + "_" + std::to_string(std::get<1>(info.param)); });

}  // namespace
}  // namespace sfumato::test
