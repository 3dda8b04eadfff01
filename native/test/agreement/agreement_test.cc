// The same texts on the CPU and on the GPU: canvases are filled in place by place at temperature 0, the surest first, by
// libsfumato.so with the plug-in that it finds. ci/gpu runs this; a CPU behind the interface of a plug-in stands for the GPU
// elsewhere.
#include <algorithm>
#include <cmath>

#include "engine/test_engine.h"

namespace sfumato::test {
namespace {

/// Between the surest place and the next, and between a token and its runner-up: where both engines are nearer to a tie than
/// this, which side they fall to is chance.
constexpr float kClear = 2e-3f;
constexpr float kProbabilityTolerance = 1e-3f;

class AgreementTest : public testing::TestWithParam<std::string> {
 protected:
  static sfumato_options Options(const std::string& directory, sfumato_device device) {
    sfumato_options options;
    EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
    options.model_directory = directory.c_str();
    options.product_type = SFUMATO_PRODUCT_F32;
    options.max_items = 2;
    options.max_batch_tokens = 256;
    options.max_candidates = 256;
    options.device = device;
    return options;
  }
};

TEST_P(AgreementTest, FillsACanvasWithTheSameTokens) {
  const std::string directory = Fixture(GetParam());
  TestEngine cpu(Options(directory, SFUMATO_DEVICE_CPU));
  TestEngine gpu(Options(directory, SFUMATO_DEVICE_CUDA));
  ASSERT_EQ(cpu.info().vocabulary, gpu.info().vocabulary);
  const int32_t mask = std::max(cpu.info().mask_token_id, 0);
  constexpr int32_t kPrompt = 5;
  constexpr int32_t kCanvas = 24;
  std::vector<int32_t> tokens;
  for (int32_t i = 0; i < kPrompt; ++i) tokens.push_back((i * 37 + 11) % cpu.info().vocabulary);
  tokens.resize(kPrompt + kCanvas, mask);
  std::vector<int32_t> open;
  for (int32_t i = 0; i < kCanvas; ++i) open.push_back(kPrompt + i);
  int compared = 0;
  for (int32_t step = 1; !open.empty(); ++step) {
    SCOPED_TRACE("step " + std::to_string(step));
    for (TestEngine* engine : {&cpu, &gpu}) {
      engine->Clear();
      sfumato_item& item = engine->Add(tokens, &open);
      item.step = step;
      if (engine->info().attention == SFUMATO_ATTENTION_BLOCK_CAUSAL) item.block_length = kPrompt + kCanvas;
      ASSERT_EQ(sfumato_plan(engine->get(), 1), SFUMATO_OK) << engine->error();
      ASSERT_EQ(sfumato_run(engine->get()), SFUMATO_OK) << engine->error();
    }
    const float* sure = cpu.buffers().best_probability;
    for (size_t i = 0; i < open.size(); ++i) {
      EXPECT_NEAR(sure[i], gpu.buffers().best_probability[i], kProbabilityTolerance) << "position " << open[i];
      if (sure[i] - cpu.buffers().second_probability[i] > kClear) {
        EXPECT_EQ(cpu.buffers().best_token[i], gpu.buffers().best_token[i]) << "position " << open[i];
        ++compared;
      }
    }
    const auto surest = std::max_element(sure, sure + open.size()) - sure;
    tokens[static_cast<size_t>(open[static_cast<size_t>(surest)])] = cpu.buffers().best_token[surest];
    open.erase(open.begin() + surest);
  }
  EXPECT_GT(compared, kCanvas);
}

INSTANTIATE_TEST_SUITE_P(All, AgreementTest,
                         testing::Values("llada", "llada_moe", "llada2_moe", "dream", "a2d_qwen2", "a2d_qwen3", "sdar",
                                         "sdar_moe", "fast_dllm_v2", "bert_mlm", "modernbert_mlm"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace sfumato::test
