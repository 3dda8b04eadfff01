#ifndef SFUMATO_TEST_OPS_OP_TEST_H_
#define SFUMATO_TEST_OPS_OP_TEST_H_

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "base/cpu_features.h"
#include "cpu/cpu_backend.h"

namespace sfumato::test {

using Floats = std::vector<float>;

inline std::vector<InstructionSet> SupportedSets() {
  std::vector<InstructionSet> sets;
  for (const InstructionSet set : {InstructionSet::kPortable, InstructionSet::kAvx2, InstructionSet::kAvx512}) {
    if (Supports(set)) sets.push_back(set);
  }
  return sets;
}

inline std::unique_ptr<Backend> MakeBackend(InstructionSet set, int threads = 2,
                                            BackendLimits limits = {1024, 1024, 8}) {
  return std::make_unique<cpu::CpuBackend>(set, threads, limits);
}

inline std::string SetName(const testing::TestParamInfo<InstructionSet>& info) {
  return InstructionSetName(info.param);
}

/// One test body, run for every instruction set that the CPU has.
class OpTest : public testing::TestWithParam<InstructionSet> {};

#define SFUMATO_FOR_INSTRUCTION_SETS(TestSuite) \
  INSTANTIATE_TEST_SUITE_P(Cpu, TestSuite, testing::ValuesIn(sfumato::test::SupportedSets()), sfumato::test::SetName)

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
