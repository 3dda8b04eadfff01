#ifndef SFUMATO_TEST_OPS_OP_TEST_H_
#define SFUMATO_TEST_OPS_OP_TEST_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "cpu/cpu_backend.h"
#include "cpu/emulated_kernels.h"

namespace sfumato::test {

using Floats = std::vector<float>;

inline std::vector<const cpu::Kernels*> TestedKernels() {
  std::vector<const cpu::Kernels*> kernels = {&cpu::kPortableKernels};
#if defined(__x86_64__)
  if (Supports(InstructionSet::kAvx2)) kernels.push_back(&cpu::kAvx2Kernels);
  if (Supports(InstructionSet::kAvx512)) kernels.push_back(&cpu::kAvx512Kernels);
  kernels.push_back(&cpu::kEmulatedAvx512Kernels);
#endif
  return kernels;
}

inline std::unique_ptr<Backend> MakeBackend(const cpu::Kernels* kernels, int threads = 2,
                                            BackendLimits limits = {1024, 1024, 8}) {
  return std::make_unique<cpu::CpuBackend>(*kernels, cpu::RoundingKernels{}, threads, limits);
}

inline std::string NameOf(const cpu::Kernels& kernels) {
  std::string name = kernels.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}

inline std::string KernelsName(const testing::TestParamInfo<const cpu::Kernels*>& info) { return NameOf(*info.param); }

/// One test body, run for the kernels of every instruction set that the CPU has, and for those of AVX-512 emulated.
class OpTest : public testing::TestWithParam<const cpu::Kernels*> {};

#define SFUMATO_FOR_ALL_KERNELS(TestSuite)                                                    \
  INSTANTIATE_TEST_SUITE_P(Cpu, TestSuite, testing::ValuesIn(sfumato::test::TestedKernels()), \
                           sfumato::test::KernelsName)

inline Floats RandomFloats(size_t size, uint32_t seed, float scale = 1.0f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  Floats values(size);
  for (float& value : values) value = normal(generator);
  return values;
}

inline Floats RandomFloats(int64_t size, uint32_t seed, float scale = 1.0f) {
  return RandomFloats(static_cast<size_t>(size), seed, scale);
}

inline TensorView View(const Floats& values, std::vector<int64_t> shape) {
  return {DataType::kFloat32, std::move(shape), reinterpret_cast<const uint8_t*>(values.data())};
}

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_OPS_OP_TEST_H_
