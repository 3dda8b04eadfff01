#ifndef SFUMATO_TEST_OPS_OP_TEST_H_
#define SFUMATO_TEST_OPS_OP_TEST_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "base/number_formats.h"
#include "ops/backend.h"

namespace sfumato::test {

using Floats = std::vector<float>;

/// What operations are tested on.
struct TestedBackend {
  std::string name;
  /// Whether products round both operands; everything else is the same.
  bool rounds_to_bfloat16;
  std::function<std::unique_ptr<Backend>(int threads, const BackendLimits& limits)> make;

  friend std::ostream& operator<<(std::ostream& stream, const TestedBackend& tested) { return stream << tested.name; }
};

/// Those of the test program: one is for the CPU's kernels, another for those of CUDA under their harness.
std::vector<TestedBackend> TestedBackends();
/// The same and those that round.
std::vector<TestedBackend> TestedProducts();
/// The same and those that keep what products and attention read rounded.
std::vector<TestedBackend> TestedOperands();

inline std::unique_ptr<Backend> MakeBackend(const TestedBackend& tested, int threads = 2,
                                            BackendLimits limits = {1024, 1024, 8}) {
  return tested.make(threads, limits);
}

inline std::string BackendName(const testing::TestParamInfo<TestedBackend>& info) { return info.param.name; }

/// One test body, run on every backend.
class OpTest : public testing::TestWithParam<TestedBackend> {};

#define SFUMATO_FOR_ALL_BACKENDS(TestSuite)                                                    \
  INSTANTIATE_TEST_SUITE_P(All, TestSuite, testing::ValuesIn(sfumato::test::TestedBackends()), \
                           sfumato::test::BackendName)

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

/// Floats as a backend keeps what products and attention read.
class OperandCopy {
 public:
  /// Rounds the floats themselves where the backend does.
  OperandCopy(Backend& backend, Floats& floats) : floats_(floats), rounded_(backend.AllocateOperand(1)->rounded()) {
    if (!rounded_) return;
    for (float& value : floats) {
      bfloat16s_.push_back(ToBfloat16(value));
      value = FromBfloat16(bfloat16s_.back());
    }
  }

  bool rounded() const { return rounded_; }
  Operand get() { return rounded_ ? Operand(bfloat16s_.data()) : Operand(floats_.data()); }
  /// What has been written, as floats.
  void Return() {
    for (size_t i = 0; i < bfloat16s_.size(); ++i) floats_[i] = FromBfloat16(bfloat16s_[i]);
  }

 private:
  Floats& floats_;
  const bool rounded_;
  std::vector<uint16_t> bfloat16s_;
};

inline TensorView View(const Floats& values, std::vector<int64_t> shape) {
  return {DataType::kFloat32, std::move(shape), reinterpret_cast<const uint8_t*>(values.data())};
}

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_OPS_OP_TEST_H_
