// The engine of this test program: CUDA's operations on the harness.
#include "engine/backend_factory.h"

#include <cstdlib>

#include "cuda/cuda_backend.h"
#include "simt/simt_device.h"

namespace sfumato {

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  const cuda::Precision precision = cuda::PrecisionOf(options.products);
  auto device = std::make_unique<test::SimtDevice>();
  // A library of the machine could not work on the harness; tests name theirs.
  std::shared_ptr<cuda::DenseProducts> dense;
  if (std::getenv("SFUMATO_CUBLASLT_LIBRARY") != nullptr)
    dense = cuda::FindDenseProducts(*device, precision == cuda::Precision::kBfloat16, limits.max_rows);
  return std::make_unique<cuda::CudaBackend>(std::move(device), precision, options.threads, limits, std::move(dense));
}

}  // namespace sfumato
