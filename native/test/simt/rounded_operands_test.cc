// What a CUDA backend with rounded products keeps rounded: producers write what products would round it to.
#include <array>

#include "cuda/cuda_backend.h"
#include "ops/op_test.h"
#include "simt/simt_device.h"

namespace sfumato::test {
namespace {

class RoundedOperandsTest : public testing::Test {
 protected:
  static Floats Widened(const std::vector<uint16_t>& numbers) {
    Floats floats;
    for (const uint16_t number : numbers) floats.push_back(FromBfloat16(number));
    return floats;
  }
  static std::vector<uint16_t> Rounded(const Floats& floats) {
    std::vector<uint16_t> numbers;
    for (const float value : floats) numbers.push_back(ToBfloat16(value));
    return numbers;
  }

  explicit RoundedOperandsTest(cuda::Precision precision = cuda::Precision::kBfloat16)
      : backend_(std::make_unique<SimtDevice>(), precision, 1, {64, 64, 8}) {}

  cuda::CudaBackend backend_;
};

/// By the weights' format.
class RoundedProductsTest : public RoundedOperandsTest, public testing::WithParamInterface<cuda::Precision> {
 protected:
  RoundedProductsTest() : RoundedOperandsTest(GetParam()) {}
};

TEST_F(RoundedOperandsTest, TakeTwoBytesForEachNumber) {
  const int64_t before = backend_.allocated_bytes();
  const auto buffer = backend_.AllocateOperand(100);
  EXPECT_TRUE(buffer->rounded());
  EXPECT_EQ(buffer->bytes(), 200);
  EXPECT_EQ(backend_.allocated_bytes() - before, 200);
  cuda::CudaBackend exact(std::make_unique<SimtDevice>(), cuda::Precision::kFloat32, 1, {64, 64, 8});
  EXPECT_FALSE(exact.AllocateOperand(100)->rounded());
  EXPECT_EQ(exact.allocated_bytes(), 400);
}

TEST_F(RoundedOperandsTest, NormsWriteThemAndTheExactNumbersBeside) {
  const Floats input = RandomFloats(size_t{3 * 100}, 1);
  const Floats weight = RandomFloats(size_t{100}, 2);
  Floats floats(input.size());
  Floats exact(input.size());
  std::vector<uint16_t> rounded(input.size());
  backend_.RmsNorm({input.data(), 3, 100, weight.data(), nullptr, 1e-5f, floats.data()});
  backend_.RmsNorm({input.data(), 3, 100, weight.data(), nullptr, 1e-5f, Operand(rounded.data()), exact.data()});
  EXPECT_EQ(exact, floats);
  EXPECT_EQ(rounded, Rounded(floats));
  const Floats bias = RandomFloats(size_t{100}, 3);
  backend_.LayerNorm({input.data(), 3, 100, weight.data(), bias.data(), 1e-5f, floats.data()});
  backend_.LayerNorm({input.data(), 3, 100, weight.data(), bias.data(), 1e-5f, Operand(rounded.data())});
  EXPECT_EQ(rounded, Rounded(floats));
}

TEST_F(RoundedOperandsTest, HeadsWriteThem) {
  const Floats input = RandomFloats(size_t{5 * 3 * 40}, 4);
  const Floats norm = RandomFloats(size_t{40}, 5);
  const std::vector<int32_t> positions = {2, 0, 1, 2, 2};
  const Floats angles = RandomFloats(size_t{3 * 9}, 6);
  Floats floats(input.size());
  std::vector<uint16_t> rounded(input.size());
  HeadArguments arguments = {input.data(), 120, 5, 40, 2, norm.data(), 1};
  arguments.rotation = {18, positions.data(), nullptr, angles.data(), angles.data()};
  arguments.output = floats.data();
  backend_.PrepareHeads(arguments);
  arguments.output = Operand(rounded.data());
  backend_.PrepareHeads(arguments);
  EXPECT_EQ(rounded, Rounded(floats));
}

TEST_F(RoundedOperandsTest, GathersCopyThem) {
  const std::vector<uint16_t> input = {0, 1, 2, 3, 4, 5};
  const std::vector<int32_t> indices = {2, 0};
  std::vector<uint16_t> output(4);
  backend_.Gather({OperandView(input.data()), indices.data(), 2, 2, Operand(output.data())});
  EXPECT_EQ(output, (std::vector<uint16_t>{4, 5, 0, 1}));
}

// Products round floats, so that it makes no difference who did it before.
TEST_P(RoundedProductsTest, GiveTheBitsOfFloatsAndWriteThem) {
  for (const auto& [rows, inner, outputs] :
       std::vector<std::array<int64_t, 3>>{{3, 7, 5}, {20, 100, 70}, {150, 264, 140}, {300, 1000, 600}}) {
    const Floats input = RandomFloats(rows * inner, 7);
    const std::vector<uint16_t> rounded = Rounded(input);
    const Floats weights = RandomFloats(outputs * inner, 8);
    const Floats others = RandomFloats(outputs * inner, 9);
    for (const bool gated : {false, true}) {
      const auto packed = gated ? backend_.PackGated(View(weights, {outputs, inner}), View(others, {outputs, inner}))
                                : backend_.Pack({View(weights, {outputs, inner})});
      const Epilogue epilogue = gated ? Epilogue::kGatedSilu : Epilogue::kStore;
      Floats expected(static_cast<size_t>(rows * outputs));
      Floats output(expected.size());
      std::vector<uint16_t> rounded_output(expected.size());
      const auto run = [&](OperandView from, Operand to) {
        backend_.Matmul({Part::kHead, from, rows, packed.get(), nullptr, epilogue, to});
      };
      run(input.data(), expected.data());
      run(OperandView(rounded.data()), output.data());
      run(OperandView(rounded.data()), Operand(rounded_output.data()));
      EXPECT_EQ(output, expected);
      EXPECT_EQ(rounded_output, Rounded(expected));
    }
  }
}

// Which kernel multiplies depends on the rows of the step, what comes out doesn't: 128 rows at once where there are many
// blocks of outputs, 16 for the ten rows by themselves.
TEST_P(RoundedProductsTest, ManyBlocksGiveTheBitsOfFewRows) {
  const int64_t inner = 80;
  const int64_t outputs = 50 * 128 - 3;
  const int64_t rows = 130;
  const std::vector<uint16_t> input = Rounded(RandomFloats(rows * inner, 12));
  const Floats weights = RandomFloats(outputs * inner, 13);
  const auto packed = backend_.Pack({View(weights, {outputs, inner})});
  const auto run = [&](int64_t first, int64_t count) {
    Floats output(static_cast<size_t>(count * outputs));
    backend_.Matmul({Part::kHead, OperandView(input.data()).From(first * inner), count, packed.get(), nullptr,
                     Epilogue::kStore, output.data()});
    return output;
  };
  const Floats all = run(0, rows);
  EXPECT_EQ(run(120, 10), Floats(all.begin() + 120 * outputs, all.end()));
}

TEST_P(RoundedProductsTest, GroupsOfManyRowsGiveTheBitsOfEachByItself) {
  const int64_t inner = 72;
  const int64_t outputs = 40;
  const std::vector<int32_t> ends = {150, 150, 213};
  const std::vector<uint16_t> input = Rounded(RandomFloats(ends.back() * inner, 14));
  std::vector<Floats> weights;
  std::vector<std::unique_ptr<PackedMatrix>> packed;
  std::vector<const PackedMatrix*> matrices;
  for (uint32_t i = 0; i < 3; ++i) {
    weights.push_back(RandomFloats(2 * outputs * inner, 15 + i));
    const Floats gate(weights.back().begin(), weights.back().begin() + outputs * inner);
    const Floats up(weights.back().begin() + outputs * inner, weights.back().end());
    packed.push_back(backend_.PackGated(View(gate, {outputs, inner}), View(up, {outputs, inner})));
    matrices.push_back(packed.back().get());
  }
  const auto group = backend_.Group(matrices);
  std::vector<uint16_t> output(static_cast<size_t>(ends.back() * outputs));
  backend_.GroupedMatmul({Part::kFeedForward, OperandView(input.data()), nullptr, ends.back(), ends.data(), group.get(),
                          Epilogue::kGatedGeluTanh, Operand(output.data())});
  int64_t first = 0;
  for (size_t i = 0; i < 3; ++i) {
    const int64_t count = ends[i] - first;
    std::vector<uint16_t> alone(static_cast<size_t>(count * outputs));
    backend_.Matmul({Part::kFeedForward, OperandView(input.data()).From(first * inner), count, matrices[i], nullptr,
                     Epilogue::kGatedGeluTanh, Operand(alone.data())});
    EXPECT_EQ(alone, std::vector<uint16_t>(output.begin() + first * outputs, output.begin() + ends[i] * outputs)) << i;
    first = ends[i];
  }
}

// Tiles have room for somewhat more rows than a group has on average: 32, 64 and 128 here. Groups have none, some that fill
// tiles, and several times as many.
TEST_P(RoundedProductsTest, GroupsOfUnevenRowsGiveTheBitsOfEachByItself) {
  const int64_t inner = 72;
  const int64_t outputs = 150;  // blocks of 128 whose last half isn't there
  const int64_t groups = 60;
  std::vector<std::unique_ptr<PackedMatrix>> packed;
  for (uint32_t i = 0; i < 4; ++i)
    packed.push_back(backend_.Pack({View(RandomFloats(outputs * inner, 20 + i), {outputs, inner})}));
  std::vector<const PackedMatrix*> matrices;
  for (size_t i = 0; i < groups; ++i) matrices.push_back(packed[i % packed.size()].get());
  const auto group = backend_.Group(matrices);
  for (const int32_t more : {0, 16, 48}) {
    SCOPED_TRACE(more);
    const std::array<int32_t, 10> counts = {0, 1, 17, 33, 66, 8, 16, 9, 25, 2};  // 18 on average
    std::vector<int32_t> ends(groups);
    int32_t rows = 0;
    for (size_t i = 0; i < groups; ++i) {
      const int32_t count = counts[i % counts.size()];
      rows += count + (count == 0 ? 0 : more);
      ends[i] = rows;
    }
    const std::vector<uint16_t> input = Rounded(RandomFloats(rows * inner, 24));
    Floats output(static_cast<size_t>(rows * outputs));
    backend_.GroupedMatmul({Part::kFeedForward, OperandView(input.data()), nullptr, rows, ends.data(), group.get(),
                            Epilogue::kStore, output.data()});
    // The same rows through an index, from last to first.
    std::vector<uint16_t> turned;
    std::vector<int32_t> input_rows;
    for (int32_t row = rows; row-- > 0;) {
      turned.insert(turned.end(), input.begin() + row * inner, input.begin() + (row + 1) * inner);
      input_rows.push_back(row);
    }
    Floats indexed(output.size());
    backend_.GroupedMatmul({Part::kFeedForward, OperandView(turned.data()), input_rows.data(), rows, ends.data(),
                            group.get(), Epilogue::kStore, indexed.data()});
    EXPECT_EQ(indexed, output);
    int64_t first = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      const int64_t count = ends[i] - first;
      Floats alone(static_cast<size_t>(count * outputs));
      backend_.Matmul({Part::kFeedForward, OperandView(input.data()).From(first * inner), count, matrices[i], nullptr,
                       Epilogue::kStore, alone.data()});
      ASSERT_EQ(alone, Floats(output.begin() + first * outputs, output.begin() + ends[i] * outputs)) << i;
      first = ends[i];
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cuda, RoundedProductsTest,
                         testing::Values(cuda::Precision::kBfloat16, cuda::Precision::kFp8, cuda::Precision::kInt4),
                         [](const auto& info) {
                           return info.param == cuda::Precision::kBfloat16 ? "bf16"
                                  : info.param == cuda::Precision::kFp8    ? "fp8"
                                                                           : "int4";
                         });

// Weights that are not rounded take rounded rows as they are.
TEST_F(RoundedOperandsTest, ExactWeightsTakeThemAsTheyAre) {
  const std::vector<uint16_t> rounded = Rounded(RandomFloats(size_t{20 * 50}, 10));
  const Floats input = Widened(rounded);
  const Floats weights = RandomFloats(size_t{30 * 50}, 11);
  const auto packed = backend_.PackExact(View(weights, {30, 50}));
  Floats output(20 * 30);
  backend_.Matmul(
      {Part::kHead, OperandView(rounded.data()), 20, packed.get(), nullptr, Epilogue::kStore, output.data()});
  for (size_t row = 0; row < 20; ++row) {
    for (size_t o = 0; o < 30; ++o) {
      double sum = 0;
      for (size_t k = 0; k < 50; ++k) sum += double{input[row * 50 + k]} * weights[o * 50 + k];
      ASSERT_NEAR(output[row * 30 + o], sum, 2e-5);
    }
  }
}

}  // namespace
}  // namespace sfumato::test
