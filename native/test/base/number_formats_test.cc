#include "base/number_formats.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sfumato {
namespace {

TEST(NumberFormatsTest, Bfloat16HasTheUpperHalfOfAFloat) {
  EXPECT_EQ(FromBfloat16(0x3f80), 1.0f);
  EXPECT_EQ(FromBfloat16(0xc049), -3.140625f);
  EXPECT_EQ(FromBfloat16(0x0001), 0x1p-133f);
  EXPECT_TRUE(std::isinf(FromBfloat16(0x7f80)));
  EXPECT_TRUE(std::isnan(FromBfloat16(0x7fc0)));
}

TEST(NumberFormatsTest, ToBfloat16RoundsToTheNearestEven) {
  EXPECT_EQ(ToBfloat16(1.0f), 0x3f80);
  EXPECT_EQ(ToBfloat16(std::bit_cast<float>(0x3f807fffu)), 0x3f80);
  EXPECT_EQ(ToBfloat16(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(ToBfloat16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_EQ(ToBfloat16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(ToBfloat16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(ToBfloat16(-std::numeric_limits<float>::infinity()), 0xff80);
  EXPECT_TRUE(std::isnan(FromBfloat16(ToBfloat16(std::bit_cast<float>(0x7f800001u)))));
}

TEST(NumberFormatsTest, Bfloat16SurvivesTheRoundTrip) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = FromBfloat16(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(ToBfloat16(value), bits);
  }
}

TEST(NumberFormatsTest, Float16HasAllItsClasses) {
  EXPECT_EQ(FromFloat16(0x3c00), 1.0f);
  EXPECT_EQ(FromFloat16(0xc248), -3.140625f);
  EXPECT_EQ(FromFloat16(0x7bff), 65504.0f);
  EXPECT_EQ(FromFloat16(0x0400), 0x1p-14f);
  EXPECT_EQ(FromFloat16(0x0001), 0x1p-24f);
  EXPECT_EQ(FromFloat16(0x83ff), -1023 * 0x1p-24f);
  EXPECT_TRUE(std::signbit(FromFloat16(0x8000)));
  EXPECT_EQ(FromFloat16(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(FromFloat16(0x7e01)));
}

}  // namespace
}  // namespace sfumato
