// Products of weights and inputs rounded to 8 bits.
#include <cstring>
#include <limits>

#include "cpu/cpu_backend.h"
#include "cpu/tested_kernels.h"
#include "ops/matmul.h"
#include "ops/op_test.h"

namespace sfumato::test {
namespace {

constexpr int64_t kGroup = 4 * cpu::kInt8GroupQuads;

struct TestedInt8 {
  std::string name;
  const cpu::Kernels* kernels;
  const cpu::Int8Kernels* int8;
};

std::vector<TestedInt8> AllTestedInt8() {
  std::vector<TestedInt8> tested = {{"portable", &cpu::kPortableKernels, &cpu::kPortableInt8Kernels}};
#if defined(__x86_64__)
  if (Supports(InstructionSet::kAvx2)) tested.push_back({"avx2", &cpu::kAvx2Kernels, &cpu::kAvx2Int8Kernels});
  if (SupportsInt8Products(InstructionSet::kAvx2))
    tested.push_back({"avx2_vnni", &cpu::kAvx2Kernels, &cpu::kAvx2VnniInt8Kernels});
  if (Supports(InstructionSet::kAvx512)) tested.push_back({"avx512", &cpu::kAvx512Kernels, &cpu::kAvx512Int8Kernels});
  if (SupportsInt8Products(InstructionSet::kAvx512))
    tested.push_back({"avx512_vnni", &cpu::kAvx512Kernels, &cpu::kAvx512VnniInt8Kernels});
  tested.push_back({"avx512_emulated", &cpu::kEmulatedAvx512Kernels, &cpu::kEmulatedInt8Kernels});
  tested.push_back({"avx512_vnni_emulated", &cpu::kEmulatedAvx512Kernels, &cpu::kEmulatedVnniInt8Kernels});
#endif
  return tested;
}

class Int8ProductsTest : public testing::TestWithParam<TestedInt8> {
 protected:
  static std::unique_ptr<Backend> MakeBackend(int threads = 2) {
    return std::make_unique<cpu::CpuBackend>(*GetParam().kernels, cpu::RoundingKernels{nullptr, GetParam().int8},
                                             threads, BackendLimits{1024, 1024, 8});
  }

  static Floats Multiply(Backend& backend, const Floats& input, int64_t rows, const PackedMatrix& weights,
                         const float* bias = nullptr, Epilogue epilogue = Epilogue::kStore) {
    Floats output(static_cast<size_t>(rows * weights.outputs()), 0.5f);
    backend.Matmul({Part::kFeedForward, input.data(), rows, &weights, bias, epilogue, output.data()});
    return output;
  }
};

float Largest(const float* numbers, int64_t size) {
  float largest = 0;
  for (int64_t i = 0; i < size; ++i) largest = std::max(largest, std::fabs(numbers[i]));
  return largest;
}

/// What numbers become: whole ones, by a 127th of the largest magnitude, times that.
struct Rounded {
  Rounded(const float* numbers, int64_t size) {
    const float largest = Largest(numbers, size);
    scale = largest / 127.0f;
    for (int64_t i = 0; i < size; ++i)
      levels.push_back(largest == 0 ? 0 : std::nearbyint(numbers[i] * (127.0f / largest)));
  }

  float scale = 0;
  std::vector<double> levels;
};

struct Reference {
  double sum = 0;        // of the exact operands
  double rounded = 0;    // of the rounded ones
  double bound = 0;      // of their distance, by the scales
  double magnitude = 0;  // sum of the magnitudes of the rounded products
};

Reference Refer(const float* input, const float* weights, int64_t inner) {
  Reference reference;
  const Rounded column(weights, inner);
  for (int64_t begin = 0; begin < inner; begin += kGroup) {
    const int64_t size = std::min(kGroup, inner - begin);
    const Rounded group(input + begin, size);
    const double input_step = group.scale;
    const double weight_step = column.scale;
    for (int64_t i = 0; i < size; ++i) {
      const double x = input[begin + i];
      const double w = weights[begin + i];
      const double product = group.levels[static_cast<size_t>(i)] * input_step *
                             column.levels[static_cast<size_t>(begin + i)] * weight_step;
      reference.sum += x * w;
      reference.rounded += product;
      reference.magnitude += std::fabs(product);
      // Each operand is off by half a step at most, and by the rounding of its division.
      const double half = 0.5 + 1e-4;
      reference.bound +=
          half * (std::fabs(x) * weight_step + std::fabs(w) * input_step) + half * half * input_step * weight_step;
    }
  }
  return reference;
}

// Levels that are the numbers themselves, so that every sum is a whole number: one wrong bit of a 32-bit sum would show.
TEST_P(Int8ProductsTest, SumsOfWholeNumbersAreExact) {
  const auto backend = MakeBackend();
  std::mt19937 generator(1);
  for (const int64_t inner : {1, 4, 7, 64, 128, 131, 192, 528, 1030, 4096}) {
    const int64_t rows = 17;
    const int64_t outputs = 37;
    const auto numbers = [&](int64_t count, int64_t period) {
      Floats values(static_cast<size_t>(count * inner));
      for (size_t i = 0; i < values.size(); ++i) {
        const int64_t at = static_cast<int64_t>(i) % inner;
        values[i] = static_cast<float>(static_cast<int32_t>(generator() % 255) - 127);
        if (at % period == 0) values[i] = at % 2 == 0 ? 127.0f : -127.0f;
      }
      return values;
    };
    const Floats input = numbers(rows, kGroup);
    const Floats weights = numbers(outputs, inner);
    const Floats output = Multiply(*backend, input, rows, *backend->Pack({View(weights, {outputs, inner})}));
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t o = 0; o < outputs; ++o) {
        int64_t sum = 0;
        for (int64_t k = 0; k < inner; ++k) {
          sum += static_cast<int64_t>(input[static_cast<size_t>(r * inner + k)]) *
                 static_cast<int64_t>(weights[static_cast<size_t>(o * inner + k)]);
        }
        ASSERT_EQ(output[static_cast<size_t>(r * outputs + o)], static_cast<float>(sum))
            << inner << " " << r << " " << o;
      }
    }
  }
}

TEST_P(Int8ProductsTest, TheLargestSumsDoNotSaturate) {
  const auto backend = MakeBackend();
  for (const float sign : {1.0f, -1.0f}) {
    const Floats weights(static_cast<size_t>(3 * kGroup), 127.0f);
    const Floats input(static_cast<size_t>(kGroup), sign * 127.0f);
    const Floats output = Multiply(*backend, input, 1, *backend->Pack({View(weights, {3, kGroup})}));
    EXPECT_EQ(output, Floats(3, sign * 127.0f * 127.0f * static_cast<float>(kGroup)));
    const Floats negative(weights.size(), -127.0f);
    EXPECT_EQ(Multiply(*backend, input, 1, *backend->Pack({View(negative, {3, kGroup})})),
              Floats(3, -sign * 127.0f * 127.0f * static_cast<float>(kGroup)));
  }
}

TEST_P(Int8ProductsTest, MatchesADoubleReferenceOfTheRoundedOperandsWithinTheBoundOfTheScales) {
  const auto backend = MakeBackend(3);
  struct Shape {
    int64_t rows, outputs, inner;
  };
  for (const auto& [rows, outputs, inner] :
       {Shape{1, 1, 1}, {5, 17, 3}, {7, 40, 64}, {130, 33, 257}, {64, 48, 192}, {3, 100, 700}, {2, 1100, 2050}}) {
    SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(outputs) + " x " + std::to_string(inner));
    Floats input = RandomFloats(rows * inner, 1);
    input[0] = 50;  // an outlier spoils its group alone
    const Floats weights = RandomFloats(outputs * inner, 2, 1.0f / std::sqrt(static_cast<float>(inner)));
    const Floats bias = RandomFloats(outputs, 3);
    const auto packed = backend->Pack({View(weights, {outputs, inner})});
    const Floats stored = Multiply(*backend, input, rows, *packed, bias.data());
    const Floats added = Multiply(*backend, input, rows, *packed, bias.data(), Epilogue::kAdd);
    const Floats activated = Multiply(*backend, input, rows, *packed, bias.data(), Epilogue::kGelu);
    double squares = 0;
    double exact_squares = 0;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t o = 0; o < outputs; ++o) {
        const Reference reference = Refer(input.data() + r * inner, weights.data() + o * inner, inner);
        const auto at = static_cast<size_t>(r * outputs + o);
        const double b = bias[static_cast<size_t>(o)];
        // Groups are added in float: as many roundings of partial sums, and those of scales and bias.
        const double groups = static_cast<double>((inner + kGroup - 1) / kGroup);
        const double float_error = (groups + 6) * 0x1p-24 * (reference.magnitude + std::fabs(b)) + 1e-30;
        ASSERT_NEAR(stored[at], reference.rounded + b, float_error) << r << " " << o;
        ASSERT_NEAR(added[at], reference.rounded + b + 0.5, float_error + 1e-6) << r << " " << o;
        const double x = reference.rounded + b;
        ASSERT_NEAR(activated[at], 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), 2 * float_error + 2e-6)
            << r << " " << o;
        ASSERT_LE(std::fabs(stored[at] - reference.sum - b), reference.bound + float_error) << r << " " << o;
        squares += (stored[at] - reference.sum - b) * (stored[at] - reference.sum - b);
        exact_squares += reference.sum * reference.sum;
      }
    }
    if (inner < 64) continue;
    // Rounding errors of independent numbers add up as their squares do: far below the bound.
    EXPECT_LE(std::sqrt(squares / exact_squares), 0.03);
  }
}

TEST_P(Int8ProductsTest, GatesOneHalfWithTheOther) {
  const auto backend = MakeBackend();
  const int64_t rows = 19;
  const int64_t outputs = 45;
  const int64_t inner = 300;
  const Floats input = RandomFloats(rows * inner, 5);
  const Floats gate = RandomFloats(outputs * inner, 6, 0.2f);
  const Floats up = RandomFloats(outputs * inner, 7, 0.2f);
  const auto packed = backend->PackGated(View(gate, {outputs, inner}), View(up, {outputs, inner}));
  const Floats output = Multiply(*backend, input, rows, *packed, nullptr, Epilogue::kGatedSilu);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t o = 0; o < outputs; ++o) {
      const double g = Refer(input.data() + r * inner, gate.data() + o * inner, inner).rounded;
      const double u = Refer(input.data() + r * inner, up.data() + o * inner, inner).rounded;
      ASSERT_NEAR(output[static_cast<size_t>(r * outputs + o)], g / (1 + std::exp(-g)) * u, 1e-4) << r << " " << o;
    }
  }
}

TEST_P(Int8ProductsTest, ARowIsTheSameAloneAndAmongOthers) {
  for (const int64_t inner : {48, 192, 1000, 2048}) {
    const int64_t rows = 150;
    const int64_t outputs = 72;
    const Floats input = RandomFloats(rows * inner, 8);
    const Floats weights = RandomFloats(outputs * inner, 9);
    const auto backend = MakeBackend(2);
    const Floats all = Multiply(*backend, input, rows, *backend->Pack({View(weights, {outputs, inner})}));
    for (const int threads : {1, 3}) {
      const auto other = MakeBackend(threads);
      const auto packed = other->Pack({View(weights, {outputs, inner})});
      for (const auto& [first, count] :
           std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {17, 1}, {149, 1}, {3, 2}, {5, 13}, {70, 64}, {1, 149}}) {
        const Floats part(input.begin() + first * inner, input.begin() + (first + count) * inner);
        ASSERT_EQ(Multiply(*other, part, count, *packed),
                  Floats(all.begin() + first * outputs, all.begin() + (first + count) * outputs))
            << first << " " << count;
      }
    }
  }
}

TEST_P(Int8ProductsTest, WhatIsNotFiniteSpoilsItsOwnRowAndColumnAlone) {
  const auto backend = MakeBackend();
  const int64_t inner = 200;
  Floats weights = RandomFloats(3 * inner, 1);
  Floats input = RandomFloats(3 * inner, 2);
  const Floats sound = Multiply(*backend, input, 3, *backend->Pack({View(weights, {3, inner})}));
  weights[static_cast<size_t>(inner + 7)] = std::numeric_limits<float>::infinity();
  input[static_cast<size_t>(2 * inner + 190)] = std::numeric_limits<float>::quiet_NaN();
  const Floats output = Multiply(*backend, input, 3, *backend->Pack({View(weights, {3, inner})}));
  for (size_t i = 0; i < output.size(); ++i) {
    if (i / 3 == 2 || i % 3 == 1) {
      EXPECT_TRUE(std::isnan(output[i])) << i;
    } else {
      EXPECT_EQ(output[i], sound[i]) << i;
    }
  }
}

TEST_P(Int8ProductsTest, NothingComesOfZeros) {
  const auto backend = MakeBackend();
  const int64_t inner = 200;
  const Floats weights = RandomFloats(2 * inner, 1);
  const Floats bias = {3, -4};
  Floats input(static_cast<size_t>(2 * inner));
  for (size_t i = static_cast<size_t>(inner); i < input.size(); ++i) input[i] = 1e-38f;
  EXPECT_EQ(Multiply(*backend, input, 2, *backend->Pack({View(weights, {2, inner})}), bias.data()),
            (Floats{3, -4, 3, -4}));
  const Floats none(static_cast<size_t>(2 * inner));
  EXPECT_EQ(Multiply(*backend, weights, 2, *backend->Pack({View(none, {2, inner})}), bias.data()),
            (Floats{3, -4, 3, -4}));
}

TEST_P(Int8ProductsTest, TakesAByteForEachWeightAndAScaleForEachOutput) {
  const auto backend = MakeBackend();
  const int64_t outputs = 64;
  const int64_t inner = 256;
  const Floats weights = RandomFloats(outputs * inner, 1);
  EXPECT_EQ(backend->Pack({View(weights, {outputs, inner})})->bytes(), outputs * (inner + 4));
  EXPECT_EQ(backend->PackGated(View(weights, {outputs, inner}), View(weights, {outputs, inner}))->bytes(),
            2 * outputs * (inner + 4));
  EXPECT_EQ(backend->weight_bytes(), 3 * outputs * (inner + 4));
}

TEST_P(Int8ProductsTest, ExactMatricesAreNotRounded) {
  const auto backend = MakeBackend();
  const auto floats =
      std::make_unique<cpu::CpuBackend>(*GetParam().kernels, cpu::RoundingKernels{}, 2, BackendLimits{1024, 1024, 8});
  const int64_t inner = 256;
  const Floats weights = RandomFloats(40 * inner, 1);
  const Floats input = RandomFloats(20 * inner, 2);
  EXPECT_EQ(Multiply(*backend, input, 20, *backend->PackExact(View(weights, {40, inner}))),
            Multiply(*floats, input, 20, *floats->Pack({View(weights, {40, inner})})));
}

INSTANTIATE_TEST_SUITE_P(Cpu, Int8ProductsTest, testing::ValuesIn(AllTestedInt8()),
                         [](const testing::TestParamInfo<TestedInt8>& info) { return info.param.name; });

}  // namespace
}  // namespace sfumato::test
