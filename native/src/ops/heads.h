#ifndef SFUMATO_OPS_HEADS_H_
#define SFUMATO_OPS_HEADS_H_

#include <cstdint>

#include "ops/operand.h"

namespace sfumato {

/// Rotary positions: of each head's first rotary_dim numbers the halves are rotated against each other, (a, b) becomes
/// (a cos - b sin, b cos + a sin); the others stay.
struct Rotation {
  int64_t rotary_dim = 0;                // 0 for no rotation
  const int32_t* positions = nullptr;    // [all rows]
  const int32_t* row_indices = nullptr;  // [rows] which of the positions; null when all rows are there
  const float* cosines = nullptr;        // [max_positions, rotary_dim / 2]
  const float* sines = nullptr;
};

/// What becomes of a product's queries, or keys and values, before attention reads them: an RMS norm of each head for
/// itself, then rotary positions. Values follow the keys of their row and are not rotated.
struct HeadArguments {
  const float* input;  // [rows, heads + value_heads, head_dim] at the given stride
  int64_t stride;
  int64_t rows;
  int64_t head_dim;
  int64_t heads;
  const float* norm = nullptr;  // [head_dim]; null for none
  int64_t value_heads = 0;
  const float* value_norm = nullptr;  // [head_dim]; null for none
  float epsilon = 0;
  Rotation rotation = {};
  Operand output = {};  // as the input, and may be it
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_HEADS_H_
