// Whole models with weights and inputs in 8 bits, beside the same in F32.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "engine/forward_error.h"

namespace sfumato::test {
namespace {

class Int8Test : public testing::TestWithParam<std::tuple<std::string, sfumato_instruction_set>> {};

TEST_P(Int8Test, ForwardCasesComeCloseToF32) {
  const auto& [name, instruction_set] = GetParam();
  std::ifstream stream(Fixture(name) + "/golden.json");
  const nlohmann::json golden = nlohmann::json::parse(stream);
  TestEngine exact(Fixture(name), 2, instruction_set, SFUMATO_PRODUCT_F32);
  TestEngine rounded(Fixture(name), 2, instruction_set, SFUMATO_PRODUCT_INT8);
  EXPECT_EQ(std::string(rounded.info().products).substr(0, 4), "int8");
  EXPECT_LT(rounded.info().weight_bytes, exact.info().weight_bytes);
  const auto vocabulary = static_cast<size_t>(exact.info().vocabulary);
  double error = 0;
  double spread = 0;
  int rows = 0;
  int agreeing = 0;
  for (const auto& c : golden["forward"]) {
    const auto tokens = c["input_ids"].get<std::vector<int32_t>>();
    const auto run = [&](TestEngine& engine) {
      engine.Clear();
      sfumato_item& item = engine.Add(tokens);
      item.block_length = c.value("block_length", 0);
      if (item.block_length > 0) item.block_offset = c.value("left_padding", 0) % item.block_length;
      return engine.RunLogits();
    };
    const std::vector<float> expected = run(exact);
    const std::vector<float> logits = run(rounded);
    for (size_t row = 0; row < tokens.size(); ++row) {
      const float* row_logits = expected.data() + row * vocabulary;
      double mean = 0;
      for (size_t t = 0; t < vocabulary; ++t) mean += row_logits[t] / static_cast<double>(vocabulary);
      for (size_t t = 0; t < vocabulary; ++t) {
        error += std::pow(logits[row * vocabulary + t] - row_logits[t], 2);
        spread += std::pow(row_logits[t] - mean, 2);
      }
      ++rows;
      agreeing += exact.buffers().best_token[row] == rounded.buffers().best_token[row] ? 1 : 0;
    }
  }
  const double share = std::sqrt(error / spread);
  RecordProperty("error", std::to_string(share));
  RecordProperty("agreement", std::to_string(static_cast<double>(agreeing) / rows));
  EXPECT_GT(share, 0);
  // A product is off by 3 % at most (Int8ProductsTest), seven of them in a layer and the head add up as their squares do.
  // Where experts are chosen, some rows get other ones.
  const bool mixture = name.ends_with("_moe");
  EXPECT_LE(share, (mixture ? 2 : 1) * 0.03 * std::sqrt(1 + 7.0 * exact.info().layers));
}

INSTANTIATE_TEST_SUITE_P(
    All, Int8Test,
    testing::Combine(testing::Values("llada", "llada_moe", "llada2_moe", "dream", "a2d_qwen2", "a2d_qwen3", "sdar",
                                     "fast_dllm_v2", "bert_mlm", "modernbert_mlm"),
                     testing::ValuesIn(SupportedInstructionSets())),
    [](const auto& info) { return std::get<0>(info.param) + "_" + std::to_string(std::get<1>(info.param)); });

class RoundedCanvasTest : public testing::TestWithParam<sfumato_product_type> {};

TEST_P(RoundedCanvasTest, AConditionedStepComesCloseToF32) {
  const std::string directory = Fixture("diffusion_gemma");
  sfumato_options options = CanvasOptions(directory);
  options.product_type = GetParam();
  sfumato_engine* probe = nullptr;
  if (sfumato_open(&options, &probe) == SFUMATO_FAILED_PRECONDITION) {
    GTEST_SKIP() << "this CPU has no such products: " << sfumato_last_error(nullptr);
  }
  sfumato_close(probe);
  const double error = ConditionedStepErrors(GetParam()).all;
  RecordProperty("error", std::to_string(error));
  EXPECT_GT(error, 0);
  EXPECT_LE(error, ConditionedStepBound(GetParam() == SFUMATO_PRODUCT_BF16 ? 1.0 / 256 : 0.03));
}

INSTANTIATE_TEST_SUITE_P(All, RoundedCanvasTest, testing::Values(SFUMATO_PRODUCT_BF16, SFUMATO_PRODUCT_INT8),
                         [](const auto& info) { return info.param == SFUMATO_PRODUCT_BF16 ? "bf16" : "int8"; });

}  // namespace
}  // namespace sfumato::test
