#ifndef SFUMATO_OPS_SCALE_H_
#define SFUMATO_OPS_SCALE_H_

#include <cstdint>

namespace sfumato {

/// numbers *= factor
struct ScaleArguments {
  float* numbers;  // [rows, width]
  int64_t rows;
  int64_t width;
  float factor;
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_SCALE_H_
