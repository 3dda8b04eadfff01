#include "cpu/cpu_backend.h"
#include "cpu/tested_kernels.h"
#include "ops/op_test.h"

namespace sfumato::test {
namespace {

TestedBackend Tested(const std::string& name, const cpu::Kernels* kernels,
                     const cpu::Bfloat16Kernels* bfloat16_kernels) {
  return {name, bfloat16_kernels != nullptr, [kernels, bfloat16_kernels](int threads, const BackendLimits& limits) {
            return std::make_unique<cpu::CpuBackend>(*kernels, cpu::RoundingKernels{bfloat16_kernels, nullptr}, threads,
                                                     limits);
          }};
}

}  // namespace

std::vector<TestedBackend> TestedBackends() {
  std::vector<TestedBackend> backends;
  for (const cpu::Kernels* kernels : TestedKernels()) backends.push_back(Tested(NameOf(*kernels), kernels, nullptr));
  return backends;
}

std::vector<TestedBackend> TestedProducts() {
  std::vector<TestedBackend> products = TestedBackends();
#if defined(__x86_64__)
  products.push_back(Tested("bf16_emulated", &cpu::kEmulatedAvx512Kernels, &cpu::kEmulatedBfloat16Kernels));
  if (SupportsBfloat16Products())
    products.push_back(Tested("bf16", &cpu::kAvx512Kernels, &cpu::kAvx512Bfloat16Kernels));
#endif
  return products;
}

std::vector<TestedBackend> TestedOperands() { return TestedBackends(); }

}  // namespace sfumato::test
