#ifndef SFUMATO_TEST_CPU_TESTED_KERNELS_H_
#define SFUMATO_TEST_CPU_TESTED_KERNELS_H_

#include <algorithm>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "cpu/emulated_kernels.h"
#include "cpu/kernels.h"

namespace sfumato::test {

/// The kernels of every instruction set that the CPU has, and those of AVX-512 emulated.
inline std::vector<const cpu::Kernels*> TestedKernels() {
  std::vector<const cpu::Kernels*> kernels = {&cpu::kPortableKernels};
#if defined(__x86_64__)
  if (Supports(InstructionSet::kAvx2)) kernels.push_back(&cpu::kAvx2Kernels);
  if (Supports(InstructionSet::kAvx512)) kernels.push_back(&cpu::kAvx512Kernels);
  kernels.push_back(&cpu::kEmulatedAvx512Kernels);
#endif
  return kernels;
}

inline std::string NameOf(const cpu::Kernels& kernels) {
  std::string name = kernels.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_CPU_TESTED_KERNELS_H_
