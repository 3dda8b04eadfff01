// Products through cuBLASLt, with a library that stands for it.
#include <dlfcn.h>

#include <cstdlib>

#include "base/error.h"
#include "cuda/cublas_lt.h"
#include "cuda/cuda_backend.h"
#include "cuda/dense_products.h"
#include "engine/forward_error.h"
#include "ops/op_test.h"
#include "simt/fake_library.h"
#include "simt/harness.h"
#include "simt/simt_device.h"

namespace sfumato::test {
namespace {

using cuda::CublasLtPlaces;
using cuda::DenseProduct;
using cuda::DenseProducts;
using cuda::LoadCublasLt;

/// A variable of the environment for the scope; null unsets it.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    value == nullptr ? unsetenv(name) : setenv(name, value, 1);
  }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

template <class Body>
void ExpectError(sfumato_status status, const std::string& message, const Body& body) {
  try {
    body();
    FAIL() << "no error; expected " << message;
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), status);
    EXPECT_NE(std::string(error.what()).find(message), std::string::npos) << error.what();
  }
}

class CublasLtTest : public testing::Test {
 protected:
  FakeLibrary fake_;
};

TEST_F(CublasLtTest, IsLoadedAsTheEnvironmentSays) {
  const std::vector<std::string> nowhere = {"/nowhere/libcublasLt.so.13"};
  const std::vector<std::string> here = {nowhere.front(), FakeLibrary::kFile};
  EXPECT_EQ(LoadCublasLt(nowhere), nullptr);
  EXPECT_EQ(LoadCublasLt(here)->version(), "13.1.1");
  {
    const Variable off("SFUMATO_CUBLASLT", "off");
    EXPECT_EQ(LoadCublasLt(here), nullptr);
  }
  {
    const Variable on("SFUMATO_CUBLASLT", "on");
    EXPECT_NE(LoadCublasLt(here), nullptr);
    ExpectError(SFUMATO_FAILED_PRECONDITION, "no libcublasLt was found", [&] { LoadCublasLt(nowhere); });
  }
  const Variable file("SFUMATO_CUBLASLT_LIBRARY", FakeLibrary::kFile);
  EXPECT_NE(LoadCublasLt(nowhere), nullptr);
  {
    const Variable off("SFUMATO_CUBLASLT", "off");
    EXPECT_EQ(LoadCublasLt(nowhere), nullptr);
  }
  const Variable unknown("SFUMATO_CUBLASLT", "yes");
  ExpectError(SFUMATO_INVALID_ARGUMENT, "SFUMATO_CUBLASLT: yes (expected: on, off or nothing)",
              [&] { LoadCublasLt(here); });
}

TEST_F(CublasLtTest, IsLookedForOnTheLoadersPathFirst) {
  const std::vector<std::string> places = CublasLtPlaces();
  ASSERT_GE(places.size(), 3u);
  EXPECT_EQ(places[0], "libcublasLt.so.13");
  EXPECT_EQ(places[1], "libcublasLt.so.12");
  EXPECT_EQ(places[2], "/usr/local/cuda/lib64/libcublasLt.so.13");
}

TEST_F(CublasLtTest, ThatCantBeUsedIsNamed) {
  {
    const Variable file("SFUMATO_CUBLASLT_LIBRARY", "/nowhere/libcublasLt.so");
    ExpectError(SFUMATO_FAILED_PRECONDITION, "/nowhere/libcublasLt.so", [] { LoadCublasLt(); });
  }
  {
    const Variable file("SFUMATO_CUBLASLT_LIBRARY", FakeLibrary::kPartialFile);
    ExpectError(SFUMATO_FAILED_PRECONDITION, "without cublasLtMatmul", [] { LoadCublasLt(); });
  }
  fake_->version = 110403;
  ExpectError(SFUMATO_FAILED_PRECONDITION, "of version 11.4.3 (expected: 12.0 to 13.x, or SFUMATO_CUBLASLT=off)",
              [] { LoadCublasLt({FakeLibrary::kFile}); });
  fake_->version = 140000;
  ExpectError(SFUMATO_FAILED_PRECONDITION, "of version 14.0.0", [] { LoadCublasLt({FakeLibrary::kFile}); });
  fake_->version = 120000;
  EXPECT_EQ(LoadCublasLt({FakeLibrary::kFile})->version(), "12.0.0");
}

TEST_F(CublasLtTest, ThatFindsNoGpuIsNamed) {
  fake_->create_status = 1;
  SimtDevice device;
  ExpectError(SFUMATO_FAILED_PRECONDITION, "cublasLtCreate with status 1 on simt",
              [&] { DenseProducts products(fake_.Load(), device, 1024); });
}

TEST_F(CublasLtTest, IsForBackendsThatRoundAndTakeManyRows) {
  const Variable file("SFUMATO_CUBLASLT_LIBRARY", FakeLibrary::kFile);
  SimtDevice device;
  EXPECT_EQ(cuda::FindDenseProducts(device, std::nullopt, 1024), nullptr);
  EXPECT_EQ(cuda::FindDenseProducts(device, cuda::DenseType::kFloat8, 255), nullptr);
  EXPECT_NE(cuda::FindDenseProducts(device, cuda::DenseType::kFloat8, 256), nullptr);
}

class DenseProductsTest : public CublasLtTest {
 protected:
  /// What is chosen for weights of a shape.
  const DenseProduct* Choose(int64_t outputs = 64, int64_t inner = 32) {
    products_ = nullptr;
    products_ = std::make_unique<DenseProducts>(fake_.Load(), device_, 1000);
    return products_->Choose(outputs, inner);
  }

  SimtDevice device_;
  std::unique_ptr<DenseProducts> products_;
};

TEST_F(DenseProductsTest, AskOnceForEachShape) {
  const DenseProduct* first = Choose();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->row_tile(), 64);
  EXPECT_EQ(products_->Choose(64, 32), first);
  EXPECT_EQ(fake_->heuristics, 1);
  EXPECT_NE(products_->Choose(64, 40), first);
  EXPECT_EQ(fake_->heuristics, 2);
  EXPECT_EQ(products_->most_rows(), 1024);
  products_ = nullptr;
  EXPECT_EQ(fake_->objects, 0);
}

TEST_F(DenseProductsTest, LeaveShapesThatAreNotAligned) {
  EXPECT_EQ(Choose(60, 32), nullptr);
  EXPECT_EQ(Choose(64, 30), nullptr);
  EXPECT_EQ(fake_->heuristics, 0);
}

TEST_F(DenseProductsTest, TakeTheFirstProposalThatSumsInOneOrder) {
  fake_->proposals = 8;
  fake_->proposed[0].splits = 2;
  fake_->proposed[1].reduction = 1;
  fake_->proposed[2].workspace_bytes = 1;
  fake_->proposed[3].state = 15;
  fake_->proposed[4].tile = 32;   // 128x192 divides no 256 rows
  fake_->proposed[5].tile = 116;  // 64x192, of newer versions
  fake_->proposed[6].waves = 0.4f;
  fake_->proposed[7].tile = 20;  // 128x128
  const DenseProduct* product = Choose();
  ASSERT_NE(product, nullptr);
  EXPECT_EQ(product->row_tile(), 128);
  EXPECT_EQ(fake_->last_algorithm.tile, 20u);
  fake_->proposals = 7;
  EXPECT_EQ(Choose(), nullptr);
}

TEST_F(DenseProductsTest, LeaveWhatTheLibraryHasNothingFor) {
  fake_->proposals = 0;
  EXPECT_EQ(Choose(), nullptr);
  fake_->proposals = 1;
  fake_->heuristic_status = 14;
  EXPECT_EQ(Choose(), nullptr);
  fake_->heuristic_status = 0;
  fake_->check_status = 15;  // for some number of rows
  EXPECT_EQ(Choose(), nullptr);
  fake_->check_status = 0;
  EXPECT_NE(Choose(), nullptr);
}

TEST_F(DenseProductsTest, LeaveWhatMixesRowsOrAddsInAnotherOrder) {
  fake_->rows_matter = true;
  EXPECT_EQ(Choose(), nullptr);
  fake_->rows_matter = false;
  fake_->adds_first = true;
  EXPECT_EQ(Choose(), nullptr);
  fake_->adds_first = false;
  EXPECT_NE(Choose(), nullptr);
}

TEST_F(DenseProductsTest, FailWithTheLibrary) {
  fake_->multiply_status = 13;
  ExpectError(SFUMATO_INTERNAL, "cublasLtMatmul with status 13", [&] { Choose(); });
}

class DenseBackendTest : public CublasLtTest {
 protected:
  static constexpr int64_t kInner = 40;
  static constexpr int64_t kOutputs = 64;

  std::unique_ptr<cuda::CudaBackend> Make() {
    auto device = std::make_unique<SimtDevice>();
    auto products = std::make_shared<DenseProducts>(fake_.Load(), *device, kMaxRows);
    return std::make_unique<cuda::CudaBackend>(std::move(device), cuda::Precision::kBfloat16, 2,
                                               BackendLimits{kMaxRows, 64, 8}, std::move(products));
  }

  static std::vector<uint16_t> Rounded(const Floats& floats) {
    std::vector<uint16_t> numbers;
    for (const float value : floats) numbers.push_back(ToBfloat16(value));
    return numbers;
  }

  static constexpr int64_t kMaxRows = 2048;
  const Floats weights_ = RandomFloats(kOutputs * kInner, 1);
  const Floats input_ = RandomFloats(kMaxRows * kInner, 2);
};

TEST_F(DenseBackendTest, WeightsLieThereOnceAsTheyAre) {
  const auto backend = Make();
  const auto packed = backend->Pack({View(weights_, {kOutputs, kInner})});
  EXPECT_EQ(packed->bytes(), kOutputs * kInner * 2);
  EXPECT_EQ(backend->weight_bytes(), packed->bytes());
  EXPECT_EQ(backend->PackGated(View(weights_, {kOutputs, kInner}), View(weights_, {kOutputs, kInner}))->bytes(),
            2 * packed->bytes());
  EXPECT_EQ(backend->ProductsName(), "bf16 tensor cores, 2 matrices by cuBLASLt 13.1.1");
}

TEST_F(DenseBackendTest, OwnKernelsTakeHeadsExpertsAndWhatIsNotRounded) {
  const auto backend = Make();
  const TensorView view = View(weights_, {kOutputs, kInner});
  for (const auto& packed : {backend->PackHead(view), backend->PackExpert(view), backend->PackExact(view),
                             backend->PackGatedExpert(view, view)}) {
    EXPECT_EQ(dynamic_cast<const cuda::DenseMatrix*>(packed.get()), nullptr);
    EXPECT_NE(dynamic_cast<const cuda::CudaMatrix*>(packed.get()), nullptr);
  }
  const auto expert = backend->PackExpert(view);
  EXPECT_NE(backend->Group({expert.get()}), nullptr);
  EXPECT_EQ(backend->ProductsName(), "bf16 tensor cores, 0 matrices by cuBLASLt 13.1.1");
}

TEST_F(DenseBackendTest, OwnKernelsTakeWhatTheLibraryHasNothingFor) {
  fake_->proposals = 0;
  const auto backend = Make();
  const auto packed = backend->Pack({View(weights_, {kOutputs, kInner})});
  EXPECT_EQ(dynamic_cast<const cuda::DenseMatrix*>(packed.get()), nullptr);
  Floats output(kOutputs);
  backend->Matmul({Part::kHead, input_.data(), 1, packed.get(), nullptr, Epilogue::kStore, output.data()});
  EXPECT_EQ(fake_->products, 0);
  double sum = 0;
  for (size_t k = 0; k < kInner; ++k)
    sum += double{FromBfloat16(ToBfloat16(input_[k]))} * FromBfloat16(ToBfloat16(weights_[k]));
  EXPECT_NEAR(output[0], sum, 2e-5);
}

// Rounded rows that fill tiles are read, and results written, in place; others go through the work space, in several pieces where
// there are many. The bits are the same.
TEST_F(DenseBackendTest, InPlaceAndThroughTheWorkSpaceBitsAreTheSame) {
  const auto backend = Make();
  const auto packed = backend->Pack({View(weights_, {kOutputs, kInner})});
  const std::vector<uint16_t> rounded = Rounded(input_);
  const Floats residual = RandomFloats(kMaxRows * kOutputs, 3);
  for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd}) {
    const auto run = [&](OperandView input, int64_t rows) {
      Floats output(residual.begin(), residual.begin() + rows * kOutputs);
      backend->Matmul({Part::kHead, input, rows, packed.get(), nullptr, epilogue, output.data()});
      return output;
    };
    const int64_t before = fake_->products;
    const Floats in_place = run(OperandView(rounded.data()), kMaxRows);
    EXPECT_EQ(fake_->products, before + 1);
    EXPECT_EQ(fake_->last_rows, kMaxRows);
    EXPECT_EQ(run(input_.data(), kMaxRows), in_place);
    EXPECT_EQ(fake_->products, before + 3);
    EXPECT_EQ(fake_->last_rows, 1024);
    for (const int64_t rows : {1, 63, 64, 65, 1025, 1100}) {
      EXPECT_EQ(run(OperandView(rounded.data()), rows), Floats(in_place.begin(), in_place.begin() + rows * kOutputs));
      EXPECT_EQ(fake_->last_rows, (rows > 1024 ? rows - 1024 : rows) <= 64 ? 64 : 128);
    }
  }
  EXPECT_GE(fake_->adding_products, 4);  // two of them when the product was tried
  EXPECT_EQ(fake_->broken, nullptr);
}

TEST_F(DenseBackendTest, OperandsThatAreNotAlignedAreCopied) {
  const auto backend = Make();
  const auto packed = backend->Pack({View(weights_, {kOutputs, kInner})});
  const std::vector<uint16_t> rounded = Rounded(input_);
  std::vector<uint16_t> shifted(1);
  shifted.insert(shifted.end(), rounded.begin(), rounded.begin() + 64 * kInner);
  Floats expected(64 * kOutputs);
  Floats output(expected.size() + 1);
  backend->Matmul(
      {Part::kHead, OperandView(rounded.data()), 64, packed.get(), nullptr, Epilogue::kStore, expected.data()});
  backend->Matmul(
      {Part::kHead, OperandView(shifted.data() + 1), 64, packed.get(), nullptr, Epilogue::kStore, output.data() + 1});
  EXPECT_EQ(Floats(output.begin() + 1, output.end()), expected);
  EXPECT_EQ(fake_->broken, nullptr);
}

TEST_F(DenseBackendTest, WorkSpaceIsThereOnceAStepBegins) {
  const auto backend = Make();
  backend->Pack({View(weights_, {kOutputs, kInner})});
  const int64_t before = backend->WorkBytes();
  const StepLayout layout;
  backend->BeginStep(layout);
  EXPECT_GE(backend->WorkBytes() - before, 1024 * (kInner * 2 + kOutputs * 4));
}

TEST_F(DenseBackendTest, AFailingProductFails) {
  const auto backend = Make();
  const auto packed = backend->Pack({View(weights_, {kOutputs, kInner})});
  fake_->multiply_status = 14;
  Floats output(kOutputs);
  ExpectError(SFUMATO_INTERNAL, "cublasLtMatmul with status 14", [&] {
    backend->Matmul({Part::kHead, input_.data(), 1, packed.get(), nullptr, Epilogue::kStore, output.data()});
  });
}

class DenseForwardTest : public testing::TestWithParam<ForwardCase> {};

TEST_P(DenseForwardTest, LogitsAreNearTheReference) {
  FakeLibrary fake;
  if (GetParam().products == SFUMATO_PRODUCT_FP8_INPUTS) fake->type = 28;  // CUDA_R_8F_E4M3
  const Variable file("SFUMATO_CUBLASLT_LIBRARY", FakeLibrary::kFile);
  ExpectLogitsNearTheReference(GetParam());
  EXPECT_GT(fake->last_rows, 0);
  EXPECT_EQ(fake->broken, nullptr);
  EXPECT_EQ(fake->objects, 0);
}

INSTANTIATE_TEST_SUITE_P(All, DenseForwardTest,
                         testing::Values(ForwardCase{"llada", 0.02}, ForwardCase{"a2d_qwen3", 0.02},
                                         ForwardCase{"modernbert_mlm", 0.02}, ForwardCase{"llada2_moe", 0.05},
                                         ForwardCase{"llada", 0.2, SFUMATO_PRODUCT_FP8_INPUTS}),
                         [](const auto& info) {
                           return info.param.fixture +
                                  (info.param.products == SFUMATO_PRODUCT_BF16 ? "_bf16" : "_fp8_inputs");
                         });

}  // namespace
}  // namespace sfumato::test
