#include "ops/matmul.h"

#include <limits>

#include <cstring>
#include "base/number_formats.h"

#include "ops/op_test.h"

namespace sfumato::test {
namespace {

class MatmulTest : public OpTest {
 protected:
  static std::unique_ptr<Backend> MakeBackend(int threads = 2) { return test::MakeBackend(GetParam(), threads); }

  /// Random numbers as the products will see them.
  static Floats RandomOperand(int64_t size, uint32_t seed, float scale = 1.0f) {
    Floats values = RandomFloats(size, seed, scale);
    if (GetParam().rounds_to_bfloat16) {
      for (float& value : values) value = FromBfloat16(ToBfloat16(value));
    }
    return values;
  }
};

double Activated(double x, Epilogue epilogue) {
  return epilogue == Epilogue::kGelu ? 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))) : x;
}

TEST_P(MatmulTest, MultipliesLiteralNumbers) {
  const auto backend = MakeBackend();
  const Floats weights = {1, 2, 3, 0, -1, 4};  // [2, 3]
  const Floats bias = {10, 20};
  const auto packed = backend->Pack({View(weights, {2, 3})});
  EXPECT_EQ(packed->outputs(), 2);
  EXPECT_EQ(packed->inner(), 3);
  const Floats input = {1, 1, 1, 2, 0, -1};  // [2, 3]
  Floats output = {1, 1, 1, 1};
  backend->Matmul({Part::kHead, input.data(), 2, packed.get(), bias.data(), Epilogue::kStore, output.data()});
  EXPECT_EQ(output, (Floats{16, 23, 9, 16}));
  backend->Matmul({Part::kHead, input.data(), 2, packed.get(), nullptr, Epilogue::kAdd, output.data()});
  EXPECT_EQ(output, (Floats{22, 26, 8, 12}));
}

TEST_P(MatmulTest, MatchesADoubleReference) {
  const auto backend = MakeBackend(3);
  struct Shape {
    int64_t rows, outputs, inner;
  };
  for (const Shape& shape :
       {Shape{1, 1, 1}, Shape{5, 17, 3}, Shape{7, 40, 64}, Shape{130, 33, 257}, Shape{64, 528, 192}, Shape{20, 40, 512},
        Shape{3, 100, 700}, Shape{300, 20, 31}, Shape{29, 600, 520}, Shape{15, 1040, 1030}}) {  // the last is far
    SCOPED_TRACE(std::to_string(shape.rows) + " x " + std::to_string(shape.outputs) + " x " +
                 std::to_string(shape.inner));
    const Floats input = RandomOperand(shape.rows * shape.inner, 1);
    const Floats weights =
        RandomOperand(shape.outputs * shape.inner, 2, 1.0f / std::sqrt(static_cast<float>(shape.inner)));
    const Floats bias = RandomFloats(shape.outputs, 3);
    const Floats residual = RandomFloats(shape.rows * shape.outputs, 4);
    const auto packed = backend->Pack({View(weights, {shape.outputs, shape.inner})});
    for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd, Epilogue::kGelu}) {
      Floats output = residual;
      backend->Matmul({Part::kHead, input.data(), shape.rows, packed.get(), bias.data(), epilogue, output.data()});
      for (int64_t r = 0; r < shape.rows; ++r) {
        for (int64_t o = 0; o < shape.outputs; ++o) {
          double sum = bias[static_cast<size_t>(o)];
          for (int64_t k = 0; k < shape.inner; ++k) {
            sum += static_cast<double>(input[static_cast<size_t>(r * shape.inner + k)]) *
                   weights[static_cast<size_t>(o * shape.inner + k)];
          }
          const auto at = static_cast<size_t>(r * shape.outputs + o);
          const double expected = Activated(sum, epilogue) + (epilogue == Epilogue::kAdd ? residual[at] : 0.0f);
          ASSERT_NEAR(output[at], expected, 2e-5) << r << " " << o;
        }
      }
    }
  }
}

TEST_P(MatmulTest, StacksMatrices) {
  const auto backend = MakeBackend();
  const Floats first = {1, 0, 0, 1};  // [2, 2]
  const Floats second = {5, 7};       // [1, 2]
  const auto packed = backend->Pack({View(first, {2, 2}), View(second, {1, 2})});
  const Floats input = {3, 4};
  Floats output(3);
  backend->Matmul({Part::kHead, input.data(), 1, packed.get(), nullptr, Epilogue::kStore, output.data()});
  EXPECT_EQ(output, (Floats{3, 4, 43}));
}

TEST_P(MatmulTest, ConvertsBfloat16Weights) {
  const auto backend = MakeBackend();
  const std::vector<uint16_t> weights = {0x3f80, 0xc000};  // 1, -2
  const auto packed = backend->Pack({{DataType::kBfloat16, {1, 2}, reinterpret_cast<const uint8_t*>(weights.data())}});
  const Floats input = {3, 4};
  Floats output(1);
  backend->Matmul({Part::kHead, input.data(), 1, packed.get(), nullptr, Epilogue::kStore, output.data()});
  EXPECT_EQ(output, (Floats{-5}));
}

/// The upper halves of floats, which are bfloat16 numbers, as a file has them; and the floats that they are.
struct Halves {
  Halves(int64_t size, uint32_t seed) : floats(RandomFloats(size, seed)) {
    for (float& value : floats) {
      uint32_t word;
      std::memcpy(&word, &value, sizeof(word));
      bits.push_back(static_cast<uint16_t>(word >> 16));
      word &= 0xFFFF0000;
      std::memcpy(&value, &word, sizeof(value));
    }
  }

  TensorView InFile(std::vector<int64_t> shape) const {
    return {DataType::kBfloat16, std::move(shape), reinterpret_cast<const uint8_t*>(bits.data())};
  }

  Floats floats;
  std::vector<uint16_t> bits;
};

class StoredWeightsTest : public OpTest {};

TEST_P(StoredWeightsTest, WeightsStoredAsBfloat16GiveTheBitsOfTheSameFloats) {
  const auto backend = MakeBackend(GetParam());
  struct Shape {
    int64_t rows, inner, outputs;
  };
  // Small, in several blocks of the inner dimension, crowded, and too large for a cache.
  for (const auto& [rows, inner, outputs] : {Shape{1, 7, 5}, {19, 600, 45}, {40, 256, 33}, {9, 1030, 1100}}) {
    const Floats input = RandomFloats(rows * inner, 1);
    const Halves halves(outputs * inner, 2);
    const Halves others(outputs * inner, 3);
    Floats bias = RandomFloats(outputs, 4);
    const auto run = [&](const PackedMatrix& weights, const float* biases, Epilogue epilogue) {
      Floats output(static_cast<size_t>(rows * outputs), 0.5f);
      backend->Matmul({Part::kFeedForward, input.data(), rows, &weights, biases, epilogue, output.data()});
      return output;
    };
    const auto stored = backend->Pack({halves.InFile({outputs, inner})});
    const auto floats = backend->Pack({View(halves.floats, {outputs, inner})});
    EXPECT_LE(2 * stored->bytes(), floats->bytes());
    for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd, Epilogue::kGelu})
      EXPECT_EQ(run(*stored, bias.data(), epilogue), run(*floats, bias.data(), epilogue)) << inner;
    const auto gated = backend->PackGated(halves.InFile({outputs, inner}), others.InFile({outputs, inner}));
    const auto gated_floats =
        backend->PackGated(View(halves.floats, {outputs, inner}), View(others.floats, {outputs, inner}));
    EXPECT_EQ(run(*gated, nullptr, Epilogue::kGatedSilu), run(*gated_floats, nullptr, Epilogue::kGatedSilu));
    // Beside a part in float all of the matrix is.
    EXPECT_EQ(backend->Pack({halves.InFile({outputs, inner}), View(halves.floats, {outputs, inner})})->bytes(),
              backend->Pack({View(halves.floats, {outputs, inner}), View(halves.floats, {outputs, inner})})->bytes());
  }
}

SFUMATO_FOR_ALL_BACKENDS(StoredWeightsTest);

double GateOf(double x, Epilogue epilogue) {
  if (epilogue == Epilogue::kGatedSilu) return x / (1 + std::exp(-x));
  if (epilogue == Epilogue::kGatedGelu) return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

TEST_P(MatmulTest, GatesOneHalfWithTheOther) {
  const auto backend = MakeBackend();
  for (const Epilogue epilogue : {Epilogue::kGatedSilu, Epilogue::kGatedGelu, Epilogue::kGatedGeluTanh}) {
    const int64_t inner = epilogue == Epilogue::kGatedSilu ? 300 : 24;
    const int64_t rows = 19;
    const int64_t outputs = 45;
    const Floats input = RandomOperand(rows * inner, 5);
    const Floats gate = RandomOperand(outputs * inner, 6, 0.2f);
    const Floats up = RandomOperand(outputs * inner, 7, 0.2f);
    const auto packed = backend->PackGated(View(gate, {outputs, inner}), View(up, {outputs, inner}));
    EXPECT_EQ(packed->outputs(), outputs);
    Floats output(static_cast<size_t>(rows * outputs));
    backend->Matmul({Part::kFeedForward, input.data(), rows, packed.get(), nullptr, epilogue, output.data()});
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t o = 0; o < outputs; ++o) {
        double g = 0;
        double u = 0;
        for (int64_t k = 0; k < inner; ++k) {
          g +=
              static_cast<double>(input[static_cast<size_t>(r * inner + k)]) * gate[static_cast<size_t>(o * inner + k)];
          u += static_cast<double>(input[static_cast<size_t>(r * inner + k)]) * up[static_cast<size_t>(o * inner + k)];
        }
        ASSERT_NEAR(output[static_cast<size_t>(r * outputs + o)], GateOf(g, epilogue) * u, 5e-5) << r << " " << o;
      }
    }
  }
}

// The property that batch invariance rests on: a row's bits depend on that row alone, not on how many others there are,
// where it stands or how many threads share the work.
TEST_P(MatmulTest, ARowIsTheSameAloneAndAmongOthers) {
  for (const int64_t inner : {48, 192, 1000}) {
    const int64_t rows = 300;
    const int64_t outputs = 72;
    const Floats input = RandomOperand(rows * inner, 8);
    const Floats weights = RandomFloats(outputs * inner, 9);
    Floats all(static_cast<size_t>(rows * outputs));
    const auto backend = MakeBackend(2);
    const auto packed = backend->Pack({View(weights, {outputs, inner})});
    backend->Matmul({Part::kHead, input.data(), rows, packed.get(), nullptr, Epilogue::kStore, all.data()});
    for (const int threads : {1, 3}) {
      const auto other = MakeBackend(threads);
      const auto other_packed = other->Pack({View(weights, {outputs, inner})});
      for (const auto& [first, count] :
           std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {17, 1}, {299, 1}, {3, 2}, {5, 13}, {100, 64}, {1, 299}}) {
        Floats part(static_cast<size_t>(count * outputs));
        other->Matmul({Part::kHead, input.data() + first * inner, count, other_packed.get(), nullptr, Epilogue::kStore,
                       part.data()});
        ASSERT_EQ(part, Floats(all.begin() + first * outputs, all.begin() + (first + count) * outputs))
            << first << " " << count;
      }
    }
  }
}

TEST_P(MatmulTest, GroupsTakeTheRowsThatAnIndexTells) {
  const auto backend = MakeBackend(3);
  const int64_t inner = 70;
  const int64_t outputs = 20;
  const int32_t input_rows = 23;
  const std::vector<int32_t> counts = {3, 0, 1, 300, 33};
  const Floats input = RandomFloats(input_rows * inner, 30);
  std::vector<std::unique_ptr<PackedMatrix>> matrices;
  std::vector<const PackedMatrix*> pointers;
  std::vector<int32_t> ends;
  std::vector<int32_t> rows;
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto seed = static_cast<uint32_t>(31 + i);
    matrices.push_back(backend->PackExpert(View(RandomFloats(outputs * inner, seed), {outputs, inner})));
    pointers.push_back(matrices.back().get());
    for (int32_t j = 0; j < counts[i]; ++j) rows.push_back((j * 5 + 2) % input_rows);
    ends.push_back(static_cast<int32_t>(rows.size()));
  }
  const auto group = backend->Group(pointers);
  const auto total = static_cast<int64_t>(rows.size());
  Floats output(static_cast<size_t>(total * outputs));
  backend->GroupedMatmul({Part::kFeedForward, input.data(), rows.data(), total, ends.data(), group.get(),
                          Epilogue::kStore, output.data()});
  Floats copied;
  for (const int32_t row : rows)
    copied.insert(copied.end(), input.begin() + row * inner, input.begin() + (row + 1) * inner);
  Floats expected(output.size());
  for (size_t i = 0; i < counts.size(); ++i) {
    const int64_t first = ends[i] - counts[i];
    if (counts[i] == 0) continue;
    backend->Matmul({Part::kFeedForward, copied.data() + first * inner, counts[i], pointers[i], nullptr,
                     Epilogue::kStore, expected.data() + first * outputs});
  }
  EXPECT_EQ(output, expected);
}

TEST_P(MatmulTest, RoundsOperandsToBfloat16WhereItSaysSo) {
  const auto backend = MakeBackend();
  // Halfway between 1 and its neighbour 1 + 2^-7, and between that and 1 + 2^-6: ties go to the even one.
  const Floats weights = {1.0f + 0x1p-8f, 1.0f + 3 * 0x1p-8f};
  const auto packed = backend->Pack({View(weights, {2, 1})});
  const Floats input = {1.0f + 0x1p-8f};
  Floats output(2);
  backend->Matmul({Part::kHead, input.data(), 1, packed.get(), nullptr, Epilogue::kStore, output.data()});
  if (GetParam().rounds_to_bfloat16) {
    EXPECT_EQ(output, (Floats{1.0f, 1.0f + 0x1p-6f}));
  } else {
    EXPECT_EQ(output, (Floats{weights[0] * input[0], weights[1] * input[0]}));
  }
}

TEST_P(MatmulTest, HandsNotANumberOn) {
  const auto backend = MakeBackend();
  const Floats weights = {1, 2};
  const auto packed = backend->Pack({View(weights, {1, 2})});
  const Floats input = {std::numeric_limits<float>::quiet_NaN(), 1};
  Floats output(1);
  backend->Matmul({Part::kHead, input.data(), 1, packed.get(), nullptr, Epilogue::kStore, output.data()});
  EXPECT_TRUE(std::isnan(output[0]));
}

INSTANTIATE_TEST_SUITE_P(All, MatmulTest, testing::ValuesIn(TestedProducts()), BackendName);

}  // namespace
}  // namespace sfumato::test
