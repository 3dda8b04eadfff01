#ifndef SFUMATO_OPS_GATHER_H_
#define SFUMATO_OPS_GATHER_H_

#include <cstdint>

namespace sfumato {

/// output[i] = input[indices[i]]
struct GatherArguments {
  const float* input;  // [.., width]
  const int32_t* indices;
  int64_t rows;
  int64_t width;
  float* output;  // [rows, width]
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_GATHER_H_
