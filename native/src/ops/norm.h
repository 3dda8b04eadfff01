#ifndef SFUMATO_OPS_NORM_H_
#define SFUMATO_OPS_NORM_H_

#include <cstdint>

#include "ops/operand.h"

namespace sfumato {

/// RMS norm: x / sqrt(mean(x^2) + epsilon) * weight. Layer norm: (x - mean) / sqrt(variance + epsilon) * weight + bias.
/// Input and output may be the same.
struct NormArguments {
  const float* input;  // [rows, width]
  int64_t rows;
  int64_t width;
  const float* weight;          // [width]
  const float* bias = nullptr;  // [width], layer norm only
  float epsilon;
  Operand output;          // [rows, width]
  float* exact = nullptr;  // [rows, width] where the output is rounded, the same before that; null when nobody wants it
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_NORM_H_
