// The functions that kernels apply to each number.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cpu/tested_kernels.h"

namespace sfumato::test {
namespace {

using Floats = std::vector<float>;

class ElementwiseTest : public testing::TestWithParam<const cpu::Kernels*> {};

TEST_P(ElementwiseTest, ExponentialIsAccurateOverItsRange) {
  Floats x;
  for (float value = -87.0f; value <= 87.0f; value += 0.00713f) x.push_back(value);
  Floats y(x.size());
  GetParam()->exponential(x.data(), static_cast<int64_t>(x.size()), y.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = std::exp(static_cast<double>(x[i]));
    ASSERT_NEAR(y[i] / expected, 1.0, 3e-7) << x[i];
  }
}

TEST_P(ElementwiseTest, ExponentialOfSmallNumbersIsZero) {
  const Floats x = {0.0f, -88.0f, -1e30f, -std::numeric_limits<float>::infinity(), -3.402823466e38f};
  Floats y(x.size());
  GetParam()->exponential(x.data(), static_cast<int64_t>(x.size()), y.data());
  EXPECT_EQ(y, (Floats{1, 0, 0, 0, 0}));
}

TEST_P(ElementwiseTest, ActivationsMatchTheirDefinitions) {
  Floats x;
  for (float value = -30.0f; value <= 30.0f; value += 0.00317f) x.push_back(value);
  Floats gelu(x.size());
  Floats silu(x.size());
  GetParam()->gelu(x.data(), static_cast<int64_t>(x.size()), gelu.data());
  GetParam()->silu(x.data(), static_cast<int64_t>(x.size()), silu.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double v = x[i];
    ASSERT_NEAR(gelu[i], 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))), 5e-7 * std::max(1.0, std::fabs(v))) << v;
    ASSERT_NEAR(silu[i], v / (1 + std::exp(-v)), 5e-7 * std::max(1.0, std::fabs(v))) << v;
  }
}

INSTANTIATE_TEST_SUITE_P(Cpu, ElementwiseTest, testing::ValuesIn(TestedKernels()),
                         [](const auto& info) { return NameOf(*info.param); });

}  // namespace
}  // namespace sfumato::test
