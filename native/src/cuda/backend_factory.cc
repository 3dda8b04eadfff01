// The backend of libsfumato_cuda.
#include "engine/backend_factory.h"

#include "cuda/cuda_backend.h"
#include "cuda/cuda_device.h"

namespace sfumato {

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  const cuda::Precision precision = cuda::PrecisionOf(options.products);
  return std::make_unique<cuda::CudaBackend>(std::make_unique<cuda::CudaDevice>(0), precision, options.threads, limits);
}

}  // namespace sfumato
