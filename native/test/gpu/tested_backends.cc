// CUDA's operations on a GPU, for the bodies of test/ops.
#include "cuda/cuda_backend.h"
#include "cuda/cuda_device.h"
#include "ops/op_test.h"

namespace sfumato::test {
namespace {

/// Waits for every kernel: tests look at its results in memory that both sides see (shared_memory.cc), and a fault of the
/// kernel is told of the operation that it belongs to.
class WaitingDevice : public cuda::CudaDevice {
 public:
  using CudaDevice::CudaDevice;

  void Launch(const cuda::KernelCall& call) override {
    CudaDevice::Launch(call);
    Wait();
  }
  void Copy(void* to, const void* from, int64_t bytes) override {
    CudaDevice::Copy(to, from, bytes);
    Wait();
  }
  void Upload(void* to, const void* from, int64_t bytes) override {
    CudaDevice::Upload(to, from, bytes);
    Wait();
  }
};

}  // namespace

std::unique_ptr<cuda::Device> MakeTestedDevice() { return std::make_unique<WaitingDevice>(0); }

std::shared_ptr<cuda::DenseProducts> MakeTestedDense(cuda::Device& device, int64_t max_rows) {
  return cuda::FindDenseProducts(device, cuda::DenseType::kBfloat16, max_rows);
}

}  // namespace sfumato::test
