// What libsfumato_cuda defines for itself: NVIDIA's GPUs.
#include "engine/library.h"

#include "base/error.h"
#include "cuda/cuda_backend.h"
#include "cuda/cuda_device.h"
#include "cuda/graph_device.h"
#include "cuda/profiling_device.h"
#include "engine/model_engine.h"

namespace sfumato {
namespace {

std::unique_ptr<cuda::Device> MakeDevice(const EngineOptions& options) {
  auto gpu = std::make_unique<cuda::CudaDevice>(options.device_ordinal);
  if (options.products == ProductFormat::kFp8Inputs) gpu->CheckFloat8Products();
  if (options.device_profile) return std::make_unique<cuda::ProfilingDevice>(std::move(gpu));
  return std::make_unique<cuda::GraphDevice>(std::move(gpu));
}

}  // namespace

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  const cuda::Precision precision = cuda::PrecisionOf(options.products);
  auto device = MakeDevice(options);
  auto dense = cuda::FindDenseProducts(*device, cuda::DenseTypeOf(precision), limits.max_rows);
  return std::make_unique<cuda::CudaBackend>(std::move(device), precision, options.threads, limits, std::move(dense));
}

std::unique_ptr<Engine> OpenEngine(const sfumato_options& options) {
  const EngineOptions checked = EngineOptions::Check(options);
  if (checked.device == SFUMATO_DEVICE_CPU)
    Fail(SFUMATO_FAILED_PRECONDITION, "device", "CPU", "a GPU, in this library");
  return std::make_unique<ModelEngine>(checked);
}

void CheckDevice(sfumato_device device, int32_t ordinal) {
  if (device == SFUMATO_DEVICE_CPU) Fail(SFUMATO_FAILED_PRECONDITION, "device", "CPU", "a GPU, in this library");
  const cuda::CudaDevice usable(ordinal);
}

}  // namespace sfumato
