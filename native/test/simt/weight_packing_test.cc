// Weights in FP8 and 4 bits against the formats' definitions.
#include "cuda/weight_packing.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/number_formats.h"
#include "kept_weights.h"
#include "ops/op_test.h"

namespace sfumato::cuda {
namespace {

using bench::KeptWeights;
using test::Floats;
using test::RandomFloats;

/// A strip of one load, whose first rows begin with the given numbers.
struct Strip {
  Strip(WeightFormat format, const std::vector<Floats>& beginnings)
      : tiles(ShapeOf(format).load_tiles), words(static_cast<size_t>(kBlockStrips * ShapeOf(format).load_words)) {
    rows.resize(static_cast<size_t>(kStripOutputs * tiles * kInnerTile));
    for (size_t row = 0; row < beginnings.size(); ++row)
      std::copy(beginnings[row].begin(), beginnings[row].end(),
                rows.begin() + static_cast<int64_t>(row) * tiles * kInnerTile);
    unusable = PackStrip(format, rows.data(), tiles, words.data(), scales);
  }

  int64_t tiles;
  Floats rows;
  std::vector<uint32_t> words;
  float scales[kStripOutputs] = {};
  int unusable;
};

// The examples of weight_packing.h.
TEST(WeightPackingTest, LaysOutLiteralFp8) {
  std::vector<Floats> rows(9);
  rows[0] = {-2, 1, 0.5f, 0.01f};
  rows[8] = {448, 1, 2, -3};
  const Strip strip(WeightFormat::kFp8, rows);
  EXPECT_EQ(strip.unusable, -1);
  EXPECT_EQ(strip.scales[0], 0x1p-7f);
  EXPECT_EQ(strip.scales[8], 1);
  EXPECT_EQ(strip.scales[1], 0);
  EXPECT_EQ(strip.words[0], 0x7038F87Eu);
  EXPECT_EQ(strip.words[1], 0x3AC46840u);
  EXPECT_EQ(strip.words[2], 0u);
}

TEST(WeightPackingTest, LaysOutLiteralFp8Pairs) {
  std::vector<Floats> rows(9);
  rows[0] = {-2, 1, 0.5f, 0.01f, 0, 0, 0, 2, 1, 1, 1, -1};
  rows[8] = {448, 1, 2, -3};
  const Strip strip(WeightFormat::kFp8Pairs, rows);
  EXPECT_EQ(strip.unusable, -1);
  EXPECT_EQ(strip.tiles, 2);
  EXPECT_EQ(strip.scales[0], 0x1p-7f);
  EXPECT_EQ(strip.scales[8], 1);
  EXPECT_EQ(strip.words[0], 0x3A6870F8u);
  EXPECT_EQ(strip.words[1], 0xC440387Eu);
  EXPECT_EQ(strip.words[2], 0x78000000u);
  EXPECT_EQ(strip.words[3], 0u);
  EXPECT_EQ(strip.words[4], 0xF0707070u);  // the next lane's
}

TEST(WeightPackingTest, Fp8HasTheSameNumbersInPairsAndInRows) {
  const int64_t outputs = 37;
  const int64_t inner = 75;
  const Floats weights = RandomFloats(outputs * inner, 3);
  const Floats kept = KeptWeights(WeightFormat::kFp8, weights, outputs, inner);
  EXPECT_EQ(KeptWeights(WeightFormat::kFp8Pairs, weights, outputs, inner), kept);
  Floats rows;
  for (int64_t row = 0; row < outputs; ++row) {
    std::vector<uint8_t> numbers(static_cast<size_t>(inner));
    float scale = 0;
    ASSERT_TRUE(PackFloat8(weights.data() + row * inner, inner, numbers.data(), &scale));
    for (const uint8_t number : numbers) rows.push_back(FromFloat8(number) * scale);
  }
  EXPECT_EQ(rows, kept);
}

TEST(WeightPackingTest, LaysOutLiteralInt4) {
  std::vector<Floats> rows(9);
  rows[0] = {8, -7, 2.2f, 0};
  rows[8] = {-8, 7, 0, -1};
  const Strip strip(WeightFormat::kInt4, rows);
  EXPECT_EQ(strip.unusable, -1);
  EXPECT_EQ(strip.words[Int4Weights::kScales], 0xC180u);
  EXPECT_EQ(strip.words[Int4Weights::kScales + 8], 0x4180u);
  EXPECT_EQ(strip.words[Int4Weights::kScales + 1], 0u);
  EXPECT_EQ(strip.words[0], 0x78FF8600u);
}

TEST(WeightPackingTest, Fp8IsTheNearestNumberOfTheOutputsScale) {
  const int64_t outputs = 40;
  const int64_t inner = 100;
  const Floats weights = RandomFloats(outputs * inner, 1, 0.03f);
  const Floats kept = KeptWeights(WeightFormat::kFp8, weights, outputs, inner);
  for (int64_t output = 0; output < outputs; ++output) {
    float largest = 0;
    for (int64_t k = 0; k < inner; ++k)
      largest = std::max(largest, std::fabs(weights[static_cast<size_t>(output * inner + k)]));
    double scale = 0x1p-40;
    while (largest / scale > 448) scale *= 2;
    for (int64_t k = 0; k < inner; ++k) {
      const auto at = static_cast<size_t>(output * inner + k);
      double nearest = INFINITY;
      for (uint32_t code = 0; code < 256; ++code) {
        const double number = FromFloat8(static_cast<uint8_t>(code));
        if (!std::isnan(number)) nearest = std::min(nearest, std::fabs(number * scale - weights[at]));
      }
      ASSERT_EQ(std::fabs(double{kept[at]} - weights[at]), nearest) << at;
      ASSERT_EQ(FromBfloat16(ToBfloat16(kept[at])), kept[at]);
    }
  }
}

TEST(WeightPackingTest, Int4HasTheBestScaleOfItsGroup) {
  const int64_t outputs = 30;
  const int64_t inner = 96;
  Floats weights = RandomFloats(outputs * inner, 2, 0.03f);
  for (size_t i = 0; i < 32; ++i) weights[i] = 0;
  for (size_t i = 32; i < 64; ++i) weights[i] *= 1e9f;
  const Floats kept = KeptWeights(WeightFormat::kInt4, weights, outputs, inner);
  for (size_t group = 0; group < weights.size(); group += 32) {
    double extreme = 0;
    double error = 0;
    for (size_t i = group; i < group + 32; ++i) {
      if (std::fabs(weights[i]) > std::fabs(extreme)) extreme = weights[i];
      error += std::pow(double{kept[i]} - weights[i], 2);
      ASSERT_EQ(FromBfloat16(ToBfloat16(kept[i])), kept[i]);
    }
    double least = group == 0 ? 0 : INFINITY;
    for (int exponent = -20; exponent < 40; ++exponent) {
      for (int mantissa = 16; mantissa < 32; ++mantissa) {
        const double scale = std::copysign(std::ldexp(mantissa, exponent), -extreme);
        if (-extreme / scale < -11 || -extreme / scale > 0 || extreme / scale > -7) continue;
        double sum = 0;
        for (size_t i = group; i < group + 32; ++i) {
          double nearest = INFINITY;
          for (int whole = -8; whole < 8; ++whole) nearest = std::min(nearest, std::fabs(whole * scale - weights[i]));
          sum += nearest * nearest;
        }
        least = std::min(least, sum);
      }
    }
    ASSERT_NEAR(error, least, 1e-5 * least) << group;
  }
}

TEST(WeightPackingTest, WhatHasNoNumberIsNamedAndWhatIsNegligibleIsZero) {
  for (const WeightFormat format : {WeightFormat::kFp8, WeightFormat::kInt4}) {
    for (const float bad : {NAN, INFINITY, -INFINITY, 0x1p100f})
      EXPECT_EQ(Strip(format, {{1}, {}, {3, bad}}).unusable, 2);
    EXPECT_EQ(Strip(format, {{0x1p99f, 0x1p-149f}}).unusable, -1);
    const Floats weights = {0, -0.0f, 0x1p-101f, 0x1p-149f};
    EXPECT_EQ(KeptWeights(format, weights, 1, 4), Floats(4));
  }
}

TEST(WeightPackingTest, ErrorsOfNormalNumbers) {
  const int64_t outputs = 64;
  const int64_t inner = 2816;
  const Floats weights = RandomFloats(outputs * inner, 3, 0.02f);
  const auto error = [&](WeightFormat format) {
    const Floats kept = KeptWeights(format, weights, outputs, inner);
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      difference += std::pow(double{kept[i]} - weights[i], 2);
      size += std::pow(double{weights[i]}, 2);
    }
    return std::sqrt(difference / size);
  };
  EXPECT_NEAR(error(WeightFormat::kBfloat16), 0.0017, 0.0001);
  EXPECT_NEAR(error(WeightFormat::kFp8), 0.0264, 0.0003);
  EXPECT_NEAR(error(WeightFormat::kInt4), 0.082, 0.001);
  EXPECT_EQ(error(WeightFormat::kBfloat16Terms), 0);
}

}  // namespace
}  // namespace sfumato::cuda
