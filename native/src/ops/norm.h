#ifndef SFUMATO_OPS_NORM_H_
#define SFUMATO_OPS_NORM_H_

#include <cstdint>

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
  float* output;  // [rows, width]
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_NORM_H_
