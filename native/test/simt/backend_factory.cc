// The engine of this test program: CUDA's operations on the harness.
#include "engine/backend_factory.h"

#include "cuda/cuda_backend.h"
#include "simt/simt_device.h"

namespace sfumato {

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  const cuda::Precision precision = cuda::PrecisionOf(options.products);
  return std::make_unique<cuda::CudaBackend>(std::make_unique<test::SimtDevice>(), precision, options.threads, limits);
}

}  // namespace sfumato
