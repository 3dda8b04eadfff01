// Whole models with BF16 products: how far their logits are from the reference's.
#include "engine/forward_error.h"

namespace sfumato::test {
namespace {

class Bfloat16ForwardTest : public testing::TestWithParam<ForwardCase> {};

TEST_P(Bfloat16ForwardTest, LogitsAreNearTheReference) { ExpectLogitsNearTheReference(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, Bfloat16ForwardTest,
                         testing::Values(ForwardCase{"llada", 0.02}, ForwardCase{"a2d_qwen3", 0.02},
                                         ForwardCase{"modernbert_mlm", 0.02}, ForwardCase{"llada2_moe", 0.05}),
                         [](const auto& info) { return info.param.fixture; });

}  // namespace
}  // namespace sfumato::test
