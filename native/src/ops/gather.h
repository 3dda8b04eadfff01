#ifndef SFUMATO_OPS_GATHER_H_
#define SFUMATO_OPS_GATHER_H_

#include <cstdint>

#include "ops/operand.h"

namespace sfumato {

/// output[i] = input[indices[i]]
struct GatherArguments {
  OperandView input;  // [.., width]
  const int32_t* indices;
  int64_t rows;
  int64_t width;
  Operand output;  // [rows, width], in the format of the input
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_GATHER_H_
