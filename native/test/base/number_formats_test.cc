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

TEST(NumberFormatsTest, Float8HasAllItsClasses) {
  EXPECT_EQ(FromFloat8(0x38), 1.0f);
  EXPECT_EQ(FromFloat8(0xC5), -3.25f);
  EXPECT_EQ(FromFloat8(0x01), 0x1p-9f);
  EXPECT_EQ(FromFloat8(0x87), -7 * 0x1p-9f);
  EXPECT_EQ(FromFloat8(0x08), 0x1p-6f);
  EXPECT_EQ(FromFloat8(0x7E), 448.0f);
  EXPECT_TRUE(std::signbit(FromFloat8(0x80)));
  EXPECT_TRUE(std::isnan(FromFloat8(0x7F)));
  EXPECT_TRUE(std::isnan(FromFloat8(0xFF)));
}

TEST(NumberFormatsTest, ToFloat8RoundsToTheNearestEvenAndSaturates) {
  for (uint32_t code = 0; code < 0x7F; ++code) {
    const float number = FromFloat8(static_cast<uint8_t>(code));
    ASSERT_EQ(ToFloat8(number), code);
    ASSERT_EQ(ToFloat8(-number), code | 0x80);
    if (code == 0x7E) break;
    const float middle = (number + FromFloat8(static_cast<uint8_t>(code + 1))) / 2;  // exact
    ASSERT_EQ(ToFloat8(middle), code % 2 == 0 ? code : code + 1);
    ASSERT_EQ(ToFloat8(std::nextafter(middle, 0.0f)), code);
    ASSERT_EQ(ToFloat8(std::nextafter(middle, 500.0f)), code + 1);
  }
  EXPECT_EQ(ToFloat8(449.0f), 0x7E);
  EXPECT_EQ(ToFloat8(-1e30f), 0xFE);
  EXPECT_EQ(ToFloat8(std::numeric_limits<float>::infinity()), 0x7E);
  EXPECT_EQ(ToFloat8(std::numeric_limits<float>::quiet_NaN()), 0x7F);
  EXPECT_EQ(ToFloat8(std::numeric_limits<float>::denorm_min()), 0x00);
}

}  // namespace
}  // namespace sfumato
