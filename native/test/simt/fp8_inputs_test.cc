// Products of inputs in E4M3: the pass that rounds them, and results against a double reference of the rounded numbers, by own
// kernels and through what stands for cuBLASLt.
#include <array>

#include "base/error.h"
#include "base/number_formats.h"
#include "cuda/cuda_backend.h"
#include "cuda/dense_products.h"
#include "cuda/quantised_rows.h"
#include "ops/op_test.h"
#include "simt/fake_library.h"
#include "simt/kept_products.h"
#include "simt/simt_device.h"

namespace sfumato::test {
namespace {

constexpr int kFloat8Type = 28;  // CUDA_R_8F_E4M3

/// The numbers that products multiply with, by the format's definition.
Floats RoundedRows(const Floats& input, int64_t width) {
  Floats rounded;
  for (auto row = input.begin(); row != input.end(); row += width) {
    float largest = 0;
    for (auto number = row; number != row + width; ++number) largest = std::max(largest, std::fabs(*number));
    float scale = 1;
    while (largest > 448 * scale) scale *= 2;
    while (largest != 0 && largest <= 224 * scale) scale /= 2;
    for (auto number = row; number != row + width; ++number)
      rounded.push_back(FromFloat8(ToFloat8(*number / scale)) * scale);
  }
  return rounded;
}

TEST(Float8ScaleTest, IsTheLeastPowerOfTwo) {
  EXPECT_EQ(Float8ScaleOf(448), 1);
  EXPECT_EQ(Float8ScaleOf(std::nextafter(448.0f, 500.0f)), 2);
  EXPECT_EQ(Float8ScaleOf(std::nextafter(224.0f, 300.0f)), 1);
  EXPECT_EQ(Float8ScaleOf(224), 0.5f);
  EXPECT_EQ(Float8ScaleOf(2), 0x1p-7f);
  EXPECT_EQ(Float8ScaleOf(0x1p-100f), 0x1p-108f);
  EXPECT_EQ(Float8ScaleOf(0x1.fffffep127f), 0x1p120f);
}

class QuantisedRowsTest : public testing::Test {
 protected:
  void Write(const OperandView& input, int64_t first, int64_t rows, int64_t whole, int64_t width) {
    rows_.Expect(width);
    rows_.Write(input, first, rows, whole, width);
    width_ = (width + 31) / 32 * 32;
  }
  float At(int64_t row, int64_t i) const { return FromFloat8(rows_.numbers()[row * width_ + i]); }

  SimtDevice device_;
  cuda::QuantisedRows rows_ = {device_, 8};
  int64_t width_ = 0;
};

TEST_F(QuantisedRowsTest, HaveLiteralBytes) {
  const Floats input = {-2, 1, 0.5f, 0.01f, 0, 0, 0, 0, 450, 1, 2.125f, -3, 0.001f, 448, 0, -450};
  Write(input.data(), 0, 2, 4, 8);
  const std::vector<uint8_t> first(rows_.numbers(), rows_.numbers() + 8);
  EXPECT_EQ(first, (std::vector<uint8_t>{0xF8, 0x70, 0x68, 0x3A, 0, 0, 0, 0}));
  EXPECT_EQ(rows_.scales()[0], 0x1p-7f);
  const std::vector<uint8_t> second(rows_.numbers() + 32, rows_.numbers() + 40);
  EXPECT_EQ(second, (std::vector<uint8_t>{0x76, 0x30, 0x38, 0xBC, 0, 0x76, 0, 0xF6}));
  EXPECT_EQ(rows_.scales()[1], 2);
  // What fills up.
  for (int64_t row = 0; row < 4; ++row) {
    for (int64_t i = row < 2 ? 8 : 0; i < 32; ++i) EXPECT_EQ(rows_.numbers()[row * 32 + i], 0) << row << " " << i;
  }
  EXPECT_EQ(rows_.scales()[2], 0);
  EXPECT_EQ(rows_.scales()[3], 0);
}

TEST_F(QuantisedRowsTest, AreThoseOfTheDefinition) {
  for (const int64_t width : {1, 30, 64, 700, 1031}) {
    Floats input = RandomFloats(5 * width, 1);
    for (float& number : input) number = FromBfloat16(ToBfloat16(number));
    for (int64_t i = 0; i < width; ++i) input[static_cast<size_t>(2 * width + i)] *= 0x1p30f;
    const Floats expected = RoundedRows(input, width);
    std::vector<uint16_t> bfloat16s;
    for (const float number : input) bfloat16s.push_back(ToBfloat16(number));
    for (const OperandView& view : {OperandView(input.data()), OperandView(bfloat16s.data())}) {
      for (const int64_t first : {0, 2}) {
        Write(view, first, 3, 3, width);
        for (int64_t row = 0; row < 3; ++row) {
          for (int64_t i = 0; i < width; ++i) {
            ASSERT_EQ(At(row, i) * rows_.scales()[row], expected[static_cast<size_t>((first + row) * width + i)])
                << width << " " << first << " " << row << " " << i;
          }
        }
      }
    }
  }
}

TEST_F(QuantisedRowsTest, TellRowsThatHaveNoNumbers) {
  Floats input(5 * 40, 1.0f);
  input[0 * 40 + 39] = NAN;
  input[1 * 40] = -INFINITY;
  std::fill_n(input.begin() + 2 * 40, 40, 0.0f);
  std::fill_n(input.begin() + 3 * 40, 40, 0x1p-101f);
  Write(input.data(), 0, 5, 5, 40);
  EXPECT_TRUE(std::isnan(rows_.scales()[0]));
  EXPECT_TRUE(std::isnan(rows_.scales()[1]));
  EXPECT_EQ(rows_.scales()[2], 0);
  EXPECT_EQ(rows_.scales()[3], 0);
  EXPECT_EQ(rows_.scales()[4], 0x1p-8f);
  for (int64_t i = 0; i < 4 * 64; ++i) EXPECT_EQ(rows_.numbers()[i], 0) << i;
}

/// By own kernels, and through cuBLASLt.
class Fp8InputsTest : public testing::TestWithParam<bool> {
 protected:
  static constexpr int64_t kMaxRows = 1024;

  Fp8InputsTest() {
    auto device = std::make_unique<SimtDevice>();
    std::shared_ptr<cuda::DenseProducts> products;
    fake_->type = kFloat8Type;
    if (GetParam())
      products = std::make_shared<cuda::DenseProducts>(fake_.Load(), *device, kMaxRows, cuda::DenseType::kFloat8);
    backend_ = std::make_unique<cuda::CudaBackend>(std::move(device), cuda::Precision::kFp8Inputs, 2,
                                                   BackendLimits{kMaxRows, 64, 8}, std::move(products));
  }
  ~Fp8InputsTest() override { EXPECT_EQ(fake_->broken, nullptr); }

  static Floats Kept(const Floats& weights, int64_t outputs, int64_t inner) {
    return bench::KeptWeights(cuda::WeightFormat::kFp8, weights, outputs, inner);
  }
  Floats Run(const Floats& input, int64_t first, int64_t rows, const PackedMatrix& packed,
             Epilogue epilogue = Epilogue::kStore) {
    Floats output(static_cast<size_t>(rows * packed.outputs()));
    backend_->Matmul(
        {Part::kHead, input.data() + first * packed.inner(), rows, &packed, nullptr, epilogue, output.data()});
    return output;
  }

  FakeLibrary fake_;
  std::unique_ptr<cuda::CudaBackend> backend_;
};

TEST_P(Fp8InputsTest, MatchesADoubleReferenceOfTheRoundedNumbers) {
  for (const ProductShape& shape : std::vector<ProductShape>{{1, 1, 1},
                                                             {5, 17, 3},
                                                             {7, 48, 64},
                                                             {70, 33, 257},
                                                             {20, 130, 192},
                                                             {30, 48, 512},
                                                             {50, 100, 700},
                                                             {90, 20, 31},
                                                             {15, 70, 1030},
                                                             {150, 144, 320}})
    ExpectProducts(*backend_, cuda::WeightFormat::kFp8, shape, RoundedRows);
}

TEST_P(Fp8InputsTest, GatesOneHalfWithTheOther) {
  for (const int64_t rows : {19, 90}) ExpectGates(*backend_, cuda::WeightFormat::kFp8, {rows, 48, 320}, RoundedRows);
}

TEST_P(Fp8InputsTest, ARowIsTheSameAloneAndAmongOthers) {
  const int64_t rows = 1100;  // in two goes
  const int64_t inner = 352;
  const int64_t outputs = 144;
  const Floats input = RandomFloats(rows * inner, 8);
  const auto packed = backend_->Pack({View(RandomFloats(outputs * inner, 9), {outputs, inner})});
  const Floats all = Run(input, 0, rows, *packed);
  for (const auto& [first, count] :
       std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {1099, 1}, {1020, 13}, {5, 20}, {7, 40}, {1, 66}, {600, 300}})
    EXPECT_EQ(Run(input, first, count, *packed),
              Floats(all.begin() + first * outputs, all.begin() + (first + count) * outputs));
}

TEST_P(Fp8InputsTest, OnlyARowThatIsNotFiniteIsNone) {
  const int64_t inner = 64;
  const int64_t outputs = 32;
  Floats input = RandomFloats(3 * inner, 1);
  input[inner + 7] = INFINITY;
  const auto packed = backend_->Pack({View(RandomFloats(outputs * inner, 2), {outputs, inner})});
  const Floats output = Run(input, 0, 3, *packed);
  for (size_t i = 0; i < output.size(); ++i) EXPECT_EQ(std::isnan(output[i]), i / outputs == 1) << i;
}

TEST_P(Fp8InputsTest, HeadsExpertsAndExactMatricesKeepTheirInputs) {
  const int64_t inner = 64;
  const int64_t outputs = 48;
  const Floats weights = RandomFloats(outputs * inner, 1);
  const TensorView view = View(weights, {outputs, inner});
  Floats input = RandomFloats(inner, 2);
  for (float& number : input) number = FromBfloat16(ToBfloat16(number));
  const Floats kept = Kept(weights, outputs, inner);
  const auto expert = backend_->PackExpert(view);
  const auto head = backend_->PackHead(view);
  for (const PackedMatrix* packed : {expert.get(), head.get()}) {
    const Floats output = Run(input, 0, 1, *packed);
    for (int64_t o = 0; o < outputs; ++o)
      EXPECT_NEAR(output[static_cast<size_t>(o)], Dot(input.data(), kept.data() + o * inner, inner), 2e-5);
  }
  const auto exact = backend_->PackExact(view);
  const Floats output = Run(input, 0, 1, *exact);
  for (int64_t o = 0; o < outputs; ++o)
    EXPECT_NEAR(output[static_cast<size_t>(o)], Dot(input.data(), weights.data() + o * inner, inner), 2e-5);
  EXPECT_NE(backend_->Group({expert.get()}), nullptr);
  EXPECT_EQ(dynamic_cast<const cuda::CudaMatrix&>(*backend_->PackGatedExpert(view, view)).format(),
            cuda::WeightFormat::kFp8);
}

TEST_P(Fp8InputsTest, TakesItsBytesAndTellsItsName) {
  const Floats weights = RandomFloats(int64_t{128 * 256}, 1);
  EXPECT_EQ(backend_->Pack({View(weights, {128, 256})})->bytes(), 128 * (256 + 4));
  EXPECT_EQ(backend_->ProductsName(),
            GetParam() ? "fp8 tensor cores, 1 matrices by cuBLASLt 13.1.1" : "fp8 tensor cores");
  const int64_t before = backend_->WorkBytes();
  backend_->BeginStep(StepLayout());
  EXPECT_GE(backend_->WorkBytes() - before, kMaxRows * (256 + 4));
}

TEST_P(Fp8InputsTest, WeightsThatHaveNoNumberAreRefused) {
  for (const float bad : {NAN, INFINITY, 0x1p101f}) {
    Floats weights(80 * 32, 1.0f);
    weights[70 * 32 + 2] = bad;
    try {
      backend_->Pack({View(Floats(16 * 32, 1.0f), {16, 32}), View(weights, {80, 32})});
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), SFUMATO_DATA_LOSS);
      EXPECT_STREQ(error.what(),
                   "weights: not finite or beyond 2^100 in row 70 (expected: numbers that can be kept in FP8)");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cuda, Fp8InputsTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "cublaslt" : "own"; });

using LibraryFp8InputsTest = Fp8InputsTest;

TEST_P(LibraryFp8InputsTest, TakesWhatFillsTilesOnly) {
  const auto takes = [&](int64_t outputs, int64_t inner) {
    const Floats weights = RandomFloats(outputs * inner, 1);
    const auto packed = backend_->Pack({View(weights, {outputs, inner})});
    return dynamic_cast<const cuda::DenseMatrix*>(packed.get()) != nullptr;
  };
  EXPECT_TRUE(takes(48, 64));
  EXPECT_FALSE(takes(40, 64));
  EXPECT_FALSE(takes(48, 48));
  fake_->rows_matter = true;
  EXPECT_FALSE(takes(64, 64));
}

INSTANTIATE_TEST_SUITE_P(Cuda, LibraryFp8InputsTest, testing::Values(true), [](const auto&) { return "cublaslt"; });

}  // namespace
}  // namespace sfumato::test
