// The backend of libsfumato_cuda.
#include "engine/backend_factory.h"

#include "cuda/cuda_backend.h"
#include "cuda/cuda_device.h"

namespace sfumato {

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  const cuda::Precision precision = cuda::PrecisionOf(options.products);
  auto device = std::make_unique<cuda::CudaDevice>(0);
  auto dense = cuda::FindDenseProducts(*device, precision == cuda::Precision::kBfloat16, limits.max_rows);
  return std::make_unique<cuda::CudaBackend>(std::move(device), precision, options.threads, limits, std::move(dense));
}

}  // namespace sfumato
