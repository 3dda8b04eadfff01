// A plug-in as libsfumato_cuda is one, for machines without a GPU: the CPU's kernels behind it.
#include "base/error.h"
#include "cpu/cpu_backend.h"
#include "engine/library.h"
#include "engine/model_engine.h"

namespace sfumato {

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  return std::make_unique<cpu::CpuBackend>(options.instruction_set, options.products, options.threads, limits);
}

std::unique_ptr<Engine> OpenEngine(const sfumato_options& options) {
  const EngineOptions checked = EngineOptions::Check(options);
  if (checked.device != SFUMATO_DEVICE_CUDA) Fail(SFUMATO_INTERNAL, "device", checked.device, "what was asked for");
  return std::make_unique<ModelEngine>(checked);
}

void CheckDevice(sfumato_device, int32_t ordinal) {
  if (ordinal > 1) Fail(SFUMATO_FAILED_PRECONDITION, "compute capability", "5.0", "a GPU that runs code of sm_80");
}

}  // namespace sfumato
