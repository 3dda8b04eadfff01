#ifndef SFUMATO_TEST_SIMT_KEPT_PRODUCTS_H_
#define SFUMATO_TEST_SIMT_KEPT_PRODUCTS_H_

// Products with weights as a format keeps them, against a double reference.

#include <cmath>
#include <functional>
#include <numeric>
#include <string>

#include "cuda/cuda_backend.h"
#include "kept_weights.h"
#include "ops/op_test.h"

namespace sfumato::test {

struct ProductShape {
  int64_t rows, outputs, inner;
};

inline double Dot(const float* a, const float* b, int64_t size) {
  return std::inner_product(a, a + size, b, 0.0, std::plus<>{}, [](float x, float y) { return double{x} * y; });
}

/// read(input, inner): the numbers that products multiply with.
template <class Read>
void ExpectProducts(Backend& backend, cuda::WeightFormat format, const ProductShape& shape, const Read& read) {
  const auto& [rows, outputs, inner] = shape;
  SCOPED_TRACE(std::to_string(rows) + " x " + std::to_string(outputs) + " x " + std::to_string(inner));
  const Floats input = RandomFloats(rows * inner, 1);
  const Floats numbers = read(input, inner);
  const Floats weights = RandomFloats(outputs * inner, 2, 1.0f / std::sqrt(static_cast<float>(inner)));
  const Floats bias = RandomFloats(outputs, 3);
  const Floats residual = RandomFloats(rows * outputs, 4);
  const Floats kept = bench::KeptWeights(format, weights, outputs, inner);
  const auto packed = backend.Pack({View(weights, {outputs, inner})});
  for (const Epilogue epilogue : {Epilogue::kStore, Epilogue::kAdd}) {
    Floats output = residual;
    backend.Matmul({Part::kHead, input.data(), rows, packed.get(), bias.data(), epilogue, output.data()});
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t o = 0; o < outputs; ++o) {
        const auto at = static_cast<size_t>(r * outputs + o);
        const double expected = Dot(numbers.data() + r * inner, kept.data() + o * inner, inner) +
                                bias[static_cast<size_t>(o)] + (epilogue == Epilogue::kAdd ? residual[at] : 0.0f);
        ASSERT_NEAR(output[at], expected, 2e-5) << r << " " << o;
      }
    }
  }
}

/// The same of gated products.
template <class Read>
void ExpectGates(Backend& backend, cuda::WeightFormat format, const ProductShape& shape, const Read& read) {
  const auto& [rows, outputs, inner] = shape;
  SCOPED_TRACE(rows);
  const Floats input = RandomFloats(rows * inner, 5);
  const Floats numbers = read(input, inner);
  const Floats gate = RandomFloats(outputs * inner, 6, 0.2f);
  const Floats up = RandomFloats(outputs * inner, 7, 0.2f);
  const Floats kept_gate = bench::KeptWeights(format, gate, outputs, inner);
  const Floats kept_up = bench::KeptWeights(format, up, outputs, inner);
  const auto packed = backend.PackGated(View(gate, {outputs, inner}), View(up, {outputs, inner}));
  Floats output(static_cast<size_t>(rows * outputs));
  backend.Matmul({Part::kFeedForward, input.data(), rows, packed.get(), nullptr, Epilogue::kGatedSilu, output.data()});
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t o = 0; o < outputs; ++o) {
      const double g = Dot(numbers.data() + r * inner, kept_gate.data() + o * inner, inner);
      const double u = Dot(numbers.data() + r * inner, kept_up.data() + o * inner, inner);
      ASSERT_NEAR(output[static_cast<size_t>(r * outputs + o)], g / (1 + std::exp(-g)) * u, 1e-4) << r << " " << o;
    }
  }
}

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_SIMT_KEPT_PRODUCTS_H_
