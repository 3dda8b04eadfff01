// Whole models with BF16 products: how far their logits are from the reference's.
#include "engine/canvas_test.h"
#include "engine/forward_error.h"

namespace sfumato::test {
namespace {

class Bfloat16ForwardTest : public testing::TestWithParam<ForwardCase> {};

TEST_P(Bfloat16ForwardTest, LogitsAreNearTheReference) { ExpectLogitsNearTheReference(GetParam()); }

TEST(Bfloat16StateTest, PagesTakeHalfOfWhatTheyTakeInF32) {
  const auto state_bytes = [](sfumato_product_type products, int32_t pages) {
    const std::string directory = Fixture("diffusion_gemma");
    sfumato_options options = CanvasOptions(directory);
    options.product_type = products;
    options.max_pages = pages;
    TestEngine engine(options);
    return engine.info().state_bytes;
  };
  const int64_t exact = state_bytes(SFUMATO_PRODUCT_F32, 20) - state_bytes(SFUMATO_PRODUCT_F32, 16);
  const int64_t rounded = state_bytes(SFUMATO_PRODUCT_BF16, 20) - state_bytes(SFUMATO_PRODUCT_BF16, 16);
  // Keys and values of four pages: four layers with two heads of 12, two with one of 16. The planner notes something of each.
  const int64_t numbers = int64_t{4} * kCanvasPageTokens * 2 * (4 * 2 * 12 + 2 * 16);
  EXPECT_EQ(exact - rounded, 2 * numbers);
  EXPECT_GE(rounded, 2 * numbers);
  EXPECT_LT(rounded, 2 * numbers + 100);
}

INSTANTIATE_TEST_SUITE_P(All, Bfloat16ForwardTest,
                         testing::Values(ForwardCase{"llada", 0.02}, ForwardCase{"a2d_qwen3", 0.02},
                                         ForwardCase{"modernbert_mlm", 0.02}, ForwardCase{"llada2_moe", 0.05}),
                         [](const auto& info) { return info.param.fixture; });

}  // namespace
}  // namespace sfumato::test
