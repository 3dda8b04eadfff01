// Which of CUDA's backends test/ops runs on; the device is the test program's.
#include "cuda/cuda_backend.h"
#include "ops/op_test.h"

namespace sfumato::test {

/// The harness, or a GPU.
std::unique_ptr<cuda::Device> MakeTestedDevice();
/// Products through what stands for cuBLASLt on the harness, or through the library itself; null where there is none.
std::shared_ptr<cuda::DenseProducts> MakeTestedDense(cuda::Device& device, int64_t max_rows);

namespace {

/// Announces the layout of every operation that has one, since tests of single operations begin no step.
class SingleOperations : public cuda::CudaBackend {
 public:
  using CudaBackend::CudaBackend;

  void Attention(const AttentionArguments& arguments) override {
    BeginStep(*arguments.layout);
    CudaBackend::Attention(arguments);
  }
  void WriteKeyValues(const KeyValueWriteArguments& arguments) override {
    BeginStep(*arguments.layout);
    CudaBackend::WriteKeyValues(arguments);
  }
  void Candidates(const CandidateArguments& arguments) override {
    BeginStep(*arguments.layout);
    CudaBackend::Candidates(arguments);
  }
};

TestedBackend Tested(const std::string& name, cuda::Precision precision) {
  return {name, precision == cuda::Precision::kBfloat16, [precision](int, const BackendLimits& limits) {
            return std::make_unique<SingleOperations>(MakeTestedDevice(), precision, 1, limits);
          }};
}

/// With products through cuBLASLt where it has an algorithm.
TestedBackend TestedDense() {
  return {"bf16_cublaslt", true, [](int, const BackendLimits& limits) {
            auto device = MakeTestedDevice();
            auto products = MakeTestedDense(*device, limits.max_rows);
            return std::make_unique<SingleOperations>(std::move(device), cuda::Precision::kBfloat16, 1, limits,
                                                      std::move(products));
          }};
}

}  // namespace

std::vector<TestedBackend> TestedBackends() { return {Tested("f32", cuda::Precision::kFloat32)}; }

std::vector<TestedBackend> TestedProducts() {
  return {Tested("f32", cuda::Precision::kFloat32), Tested("bf16", cuda::Precision::kBfloat16), TestedDense()};
}

std::vector<TestedBackend> TestedOperands() { return TestedProducts(); }

}  // namespace sfumato::test
