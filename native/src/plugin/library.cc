// What libsfumato defines for itself: CPUs, and GPUs through a plug-in.
#include "engine/library.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "cpu/cpu_backend.h"
#include "engine/model_engine.h"
#include "plugin/cuda_driver.h"
#include "plugin/plugin.h"

namespace sfumato {
namespace {

/// Throws FAILED_PRECONDITION where the GPU can't be used. The driver comes first, so that nothing of CUDA is loaded
/// where there is none.
plugin::Plugin LoadCuda(int32_t ordinal) {
  const std::string problem = plugin::CudaDriverProblem(ordinal);
  if (!problem.empty()) throw Error(SFUMATO_FAILED_PRECONDITION, problem);
  const plugin::Plugin cuda(plugin::Plugin::CudaPath());
  cuda.CheckDevice(SFUMATO_DEVICE_CUDA, ordinal);
  return cuda;
}

/// The model on the CPU, which AUTO took for some reason.
class CpuInstead : public ModelEngine {
 public:
  CpuInstead(const EngineOptions& options, std::string reason) : ModelEngine(options), reason_(std::move(reason)) {}

  sfumato_info Info() const override {
    sfumato_info info = ModelEngine::Info();
    std::memcpy(info.device_note, reason_.c_str(), std::min(reason_.size(), sizeof(info.device_note) - 1));
    return info;
  }

 private:
  const std::string reason_;
};

}  // namespace

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  return std::make_unique<cpu::CpuBackend>(options.instruction_set, options.products, options.threads, limits);
}

std::unique_ptr<Engine> OpenEngine(const sfumato_options& options) {
  const EngineOptions checked = EngineOptions::Check(options);
  if (checked.device == SFUMATO_DEVICE_CPU) return std::make_unique<ModelEngine>(checked);
  sfumato_options on_device = options;
  on_device.device = SFUMATO_DEVICE_CUDA;
  if (checked.device == SFUMATO_DEVICE_CUDA) return LoadCuda(checked.device_ordinal).Open(on_device);
  if (options.instruction_set != SFUMATO_ISA_AUTO)
    return std::make_unique<CpuInstead>(checked, "an instruction set of the CPU was asked for");
  if (checked.products == ProductFormat::kInt8)
    return std::make_unique<CpuInstead>(checked, "INT8 products are the CPU's");
  std::unique_ptr<plugin::Plugin> cuda;
  std::string reason;
  try {
    cuda = std::make_unique<plugin::Plugin>(LoadCuda(checked.device_ordinal));
  } catch (const Error& e) {
    if (e.status() != SFUMATO_FAILED_PRECONDITION) throw;
    reason = e.what();
  }
  if (cuda == nullptr) return std::make_unique<CpuInstead>(checked, reason);
  return cuda->Open(on_device);
}

void CheckDevice(sfumato_device device, int32_t ordinal) {
  if (device == SFUMATO_DEVICE_CUDA) LoadCuda(ordinal);
}

}  // namespace sfumato
