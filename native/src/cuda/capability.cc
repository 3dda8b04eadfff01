#include "cuda/capability.h"

#include <cstdlib>

#include "base/error.h"

namespace sfumato::cuda {
namespace {

/// Whether code for the architecture runs on a GPU of the capability.
bool Runs(const std::string& architecture, int capability) {
  const size_t digits = architecture.find('_') + 1;
  const int number = std::atoi(architecture.c_str() + digits);
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
  Fail(SFUMATO_FAILED_PRECONDITION, "compute capability",
       std::to_string(capability / 10) + "." + std::to_string(capability % 10), "a GPU that runs code of " + list);
}

}  // namespace sfumato::cuda
