// Which kernels a step launches: bench/gpu_model.py accounts for these and no others.
#include <map>

#include "engine/canvas_test.h"

namespace sfumato::test {
namespace {

using Calls = std::map<std::string, int64_t>;

/// Of the second step on 16 tokens, by the names of a profile.
Calls KernelsOfAStep(const std::string& fixture) {
  const std::string directory = Fixture(fixture);
  const bool canvas = fixture == "diffusion_gemma";
  sfumato_options options = CanvasOptions(directory);
  options.product_type = SFUMATO_PRODUCT_BF16;
  options.device_profile = 1;
  if (!canvas) options.max_pages = 0;
  TestEngine engine(options);
  if (canvas) std::iota(engine.buffers().pages, engine.buffers().pages + kCanvasPages, 0);
  sfumato_profile_entry entries[64];
  int32_t count = 0;
  for (const int32_t step : {1, 2}) {
    engine.Clear();
    sfumato_item& item = engine.Add(std::vector<int32_t>(16, 5));
    item.step = step;
    item.page_count = canvas ? kCanvasPages : 0;
    engine.Run();
    count = 64;
    EXPECT_EQ(sfumato_profile(engine.get(), entries, &count, 1), SFUMATO_OK);
  }
  Calls calls;
  for (int32_t i = 0; i < count; ++i) {
    if (std::string(entries[i].name) != "step") calls[entries[i].name] = entries[i].calls;
  }
  return calls;
}

TEST(StepKernelsTest, Llada) {
  constexpr int64_t kLayers = 3;
  EXPECT_EQ(KernelsOfAStep("llada"), (Calls{{"embed", 1},
                                            {"rms_norm", 2 * kLayers + 1},
                                            {"product attention_projections", 3 * kLayers},
                                            {"heads", 2 * kLayers},
                                            {"attention", kLayers},
                                            {"product feed_forward", 2 * kLayers},
                                            {"gather_candidates", 1},
                                            {"product vocabulary", 1},
                                            {"measure", 1},
                                            {"finish", 1}}));
}

TEST(StepKernelsTest, DiffusionGemma) {
  constexpr int64_t kLayers = 6;
  EXPECT_EQ(KernelsOfAStep("diffusion_gemma"), (Calls{{"embed", 1},
                                                      {"scale", 1},
                                                      {"rms_norm", 3},
                                                      {"product attention_projections", 3 * kLayers},
                                                      {"heads", 2 * kLayers},
                                                      {"attention", kLayers},
                                                      {"residual", 2 * kLayers},
                                                      // Self-conditioning, the dense branch, the experts.
                                                      {"product feed_forward", 2 + 4 * kLayers},
                                                      {"product router", kLayers},
                                                      {"route", kLayers},
                                                      {"place", kLayers},
                                                      {"combine", kLayers},
                                                      {"gather_candidates", 1},
                                                      {"product vocabulary", 1},
                                                      {"measure", 1},
                                                      {"finish", 1},
                                                      {"weigh_tokens", 1},
                                                      // A head in F32; one in BF16, as published, takes mix_embeddings.
                                                      {"mix_exact_embeddings", 1},
                                                      {"place_soft_embedding", 1}}));
}

}  // namespace
}  // namespace sfumato::test
