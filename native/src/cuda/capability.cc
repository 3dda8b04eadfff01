#include "cuda/capability.h"

#include <cstdlib>

#include "base/error.h"

namespace sfumato::cuda {
namespace {

/// Of the first tensor cores that multiply E4M3 numbers.
constexpr int kFloat8Capability = 89;

int NumberOf(const std::string& architecture) { return std::atoi(architecture.c_str() + architecture.find('_') + 1); }

std::string TextOf(int capability) { return std::to_string(capability / 10) + "." + std::to_string(capability % 10); }

/// Whether code for the architecture runs on a GPU of the capability.
bool Runs(const std::string& architecture, int capability) {
  const int number = NumberOf(architecture);
  if (architecture.starts_with("compute_")) return capability >= number;
  if (architecture.ends_with('a')) return capability == number;
  return capability / 10 == number / 10 && capability >= number;
}

}  // namespace

void CheckCapability(int capability, const std::vector<std::string>& architectures) {
  std::string list;
  for (const std::string& architecture : architectures) {
    if (Runs(architecture, capability)) return;
    list += (list.empty() ? "" : ", ") + architecture;
  }
  Fail(SFUMATO_FAILED_PRECONDITION, "compute capability", TextOf(capability), "a GPU that runs code of " + list);
}

void CheckFloat8Capability(int capability, const std::vector<std::string>& architectures) {
  std::string list;
  for (const std::string& architecture : architectures) {
    if (NumberOf(architecture) < kFloat8Capability) continue;
    if (Runs(architecture, capability)) return;
    list += (list.empty() ? "" : ", ") + architecture;
  }
  Fail(SFUMATO_FAILED_PRECONDITION, "product_type", "FP8_INPUTS with compute capability " + TextOf(capability),
       list.empty() ? "a library with code of sm_89 or newer" : "a GPU that runs code of " + list);
}

}  // namespace sfumato::cuda
