#include "base/philox.h"

#include <gtest/gtest.h>

namespace sfumato {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers that come with Random123, file kat_vectors, philox4x32 with 10 rounds.
TEST(PhiloxTest, MatchesThePublishedAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(PhiloxTest, UniformTakesTheUpperBitsOfTheFirstWord) {
  // Position, step, block and purpose are the counter, the seed's halves the key.
  EXPECT_EQ(Uniform(0, 0, 0, 0, RandomPurpose::kInitialCanvas), static_cast<float>(0x6627e8) * 0x1p-24f);
  const uint64_t seed = 0x299f31d0a4093822;
  const uint32_t word = Philox4x32({7, 3, 2, 1}, {0xa4093822, 0x299f31d0})[0];
  EXPECT_EQ(Uniform(seed, 7, 3, 2, RandomPurpose::kTokenSampling), static_cast<float>(word >> 8) * 0x1p-24f);
}

TEST(PhiloxTest, UniformStaysBelowOneAndHasItsMean) {
  double sum = 0;
  constexpr uint32_t kDraws = 100000;
  for (uint32_t i = 0; i < kDraws; ++i) {
    const float u = Uniform(42, i, 1, 0, RandomPurpose::kTokenSampling);
    ASSERT_GE(u, 0.0f);
    ASSERT_LT(u, 1.0f);
    sum += u;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
}

}  // namespace
}  // namespace sfumato
