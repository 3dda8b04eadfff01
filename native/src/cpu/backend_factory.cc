#include "engine/backend_factory.h"

#include "cpu/cpu_backend.h"

namespace sfumato {

std::unique_ptr<Backend> MakeBackend(const EngineOptions& options, const BackendLimits& limits) {
  return std::make_unique<cpu::CpuBackend>(options.instruction_set, options.products, options.threads, limits);
}

}  // namespace sfumato
