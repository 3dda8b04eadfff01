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

/// RMS norm of each head for itself, in place.
struct HeadNormArguments {
  float* values;  // [rows, heads, head_dim] at the given stride
  int64_t stride;
  int64_t rows;
  int64_t heads;
  int64_t head_dim;
  const float* weight;  // [head_dim]
  float epsilon;
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_NORM_H_
