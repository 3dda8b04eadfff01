#include "layers/rotary_frequencies.h"

#include <gtest/gtest.h>

namespace sfumato::test {
namespace {

/// Numbers of transformers 5.18, _compute_yarn_parameters.
void ExpectFrequencies(const std::vector<float>& actual, const std::vector<std::pair<size_t, double>>& expected) {
  for (const auto& [pair, frequency] : expected) EXPECT_NEAR(actual.at(pair) / frequency, 1, 3e-7) << pair;
}

TEST(RotaryFrequenciesTest, FallFromOneToAboutOneOverTheta) {
  const std::vector<float> frequencies = RotaryFrequencies(8, 10000);
  ASSERT_EQ(frequencies.size(), 4);
  ExpectFrequencies(frequencies, {{0, 1}, {1, 0.1}, {2, 0.01}, {3, 0.001}});
}

TEST(RotaryFrequenciesTest, YarnAsPublishedForNemotronLabsDiffusion) {
  const std::vector<float> frequencies = YarnFrequencies(128, 1e6, {16, 16384, 32, 1, 1});
  ASSERT_EQ(frequencies.size(), 64);
  ExpectFrequencies(frequencies, {{0, 1},
                                  {1, 0.805842221},
                                  {20, 0.0133352149},
                                  {21, 0.010153464},
                                  {25, 0.00328206597},
                                  {30, 0.000690702291},
                                  {36, 4.96113498e-05},
                                  {37, 2.12388022e-05},
                                  {63, 7.75586102e-08}});
}

TEST(RotaryFrequenciesTest, YarnWithTheRampAtTheEdgeAndWithAFactorBelowOne) {
  ExpectFrequencies(YarnFrequencies(16, 1e4, {4, 64, 32, 1, 1}),
                    {{0, 1}, {1, 0.237170815}, {2, 0.049999997}, {3, 0.00790569466}, {7, 7.90569466e-05}});
  ExpectFrequencies(YarnFrequencies(16, 1e4, {0.25, 16384, 32, 1, 1}),
                    {{0, 1}, {3, 0.0316227786}, {4, 0.0175000001}, {6, 0.00325000007}, {7, 0.00126491114}});
}

TEST(RotaryFrequenciesTest, QueriesGrowInSteps) {
  const QueryScaling scaling = {0.2f, 64};
  EXPECT_EQ(scaling.At(0), 1);
  EXPECT_EQ(scaling.At(63), 1);
  EXPECT_FLOAT_EQ(scaling.At(64), 1.13862944f);
  EXPECT_FLOAT_EQ(scaling.At(127), 1.13862944f);
  EXPECT_FLOAT_EQ(scaling.At(128), 1.21972251f);
  EXPECT_FLOAT_EQ(scaling.At(250), 1.27725887f);
}

}  // namespace
}  // namespace sfumato::test
