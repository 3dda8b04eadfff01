// The core as sfumato_compare_logits takes it: on the CPU in F32, for SFUMATO_PRODUCT_FP8_INPUTS with rounded inputs.
#include "rounded_inputs.h"

#include "base/error.h"
#include "cpu/cpu_backend.h"
#include "engine/library.h"
#include "engine/model_engine.h"

namespace sfumato {

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  if (options.products != ProductFormat::kFp8Inputs)
    return std::make_unique<cpu::CpuBackend>(options.instruction_set, options.products, options.threads, limits);
  return std::make_unique<bench::RoundedInputs<cpu::CpuBackend>>(options.instruction_set, ProductFormat::kFloat32,
                                                                 options.threads, limits);
}

std::unique_ptr<Engine> OpenEngine(const sfumato_options& options) {
  return std::make_unique<ModelEngine>(EngineOptions::Check(options));
}

void CheckDevice(sfumato_device device, int32_t) {
  if (device == SFUMATO_DEVICE_CUDA) Fail(SFUMATO_FAILED_PRECONDITION, "device", "CUDA", "a CPU, in this program");
}

}  // namespace sfumato
