// The engine of these test programs, and of a plug-in for tests: CUDA's operations on the harness, as they run on a GPU.
#include "engine/library.h"

#include <cstdlib>

#include "base/error.h"
#include "cuda/cuda_backend.h"
#include "cuda/graph_device.h"
#include "cuda/profiling_device.h"
#include "engine/model_engine.h"
#include "rounded_inputs.h"
#include "simt/simt_device.h"

namespace sfumato {
namespace {

std::unique_ptr<cuda::Device> MakeDevice(const EngineOptions& options) {
  auto simt = std::make_unique<test::SimtDevice>();
  if (options.device_profile) return std::make_unique<cuda::ProfilingDevice>(std::move(simt));
  return std::make_unique<cuda::GraphDevice>(std::move(simt));
}

}  // namespace

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  const cuda::Precision precision = cuda::PrecisionOf(options.products);
  auto device = MakeDevice(options);
  // A library of the machine could not work on the harness; tests name theirs.
  std::shared_ptr<cuda::DenseProducts> dense;
  if (std::getenv("SFUMATO_CUBLASLT_LIBRARY") != nullptr)
    dense = cuda::FindDenseProducts(*device, cuda::DenseTypeOf(precision), limits.max_rows);
  // For models with FP8 inputs beside what they must be: device_profile keeps GraphDevice, which puts work off, away.
  if (std::getenv("SFUMATO_TEST_ROUNDED_INPUTS") != nullptr && options.device_profile)
    return std::make_unique<bench::RoundedInputs<cuda::CudaBackend>>(std::move(device), precision, options.threads,
                                                                     limits);
  return std::make_unique<cuda::CudaBackend>(std::move(device), precision, options.threads, limits, std::move(dense));
}

std::unique_ptr<Engine> OpenEngine(const sfumato_options& options) {
  return std::make_unique<ModelEngine>(EngineOptions::Check(options));
}

void CheckDevice(sfumato_device, int32_t ordinal) {
  if (ordinal > 0) Fail(SFUMATO_FAILED_PRECONDITION, "device_ordinal", ordinal, "0, the harness");
}

}  // namespace sfumato
