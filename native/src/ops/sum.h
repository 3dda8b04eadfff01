#ifndef SFUMATO_OPS_SUM_H_
#define SFUMATO_OPS_SUM_H_

#include <cstdint>

namespace sfumato {

/// output = (output + addend) * factor
struct SumArguments {
  const float* addend;  // [rows, width]; null for none
  int64_t rows;
  int64_t width;
  float factor;
  float* output;  // [rows, width]
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_SUM_H_
