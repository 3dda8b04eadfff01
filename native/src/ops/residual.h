#ifndef SFUMATO_OPS_RESIDUAL_H_
#define SFUMATO_OPS_RESIDUAL_H_

#include <cstdint>

#include "ops/operand.h"

namespace sfumato {

/// The way of one or two branches back to the residual stream, and what the next ones read of it, all norms being RMS norms:
/// branch = norm(branches[0]), or norm(norm(branches[0]) + norm(branches[1])) for two;
/// residual = (residual + branch) * factor; then each output = norm(residual).
struct ResidualArguments {
  struct Branch {
    float* numbers = nullptr;  // [rows, width] used up; null for none
    const float* weight = nullptr;
  };
  struct Output {
    const float* weight = nullptr;  // null for none
    Operand numbers = {};           // [rows, width]
  };

  int64_t rows;
  int64_t width;
  float epsilon;
  Branch branches[2];
  const float* sum_weight;  // of the norm of two branches' sum
  float factor;
  float* residual;  // [rows, width]
  Output outputs[3];
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_RESIDUAL_H_
