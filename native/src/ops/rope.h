#ifndef SFUMATO_OPS_ROPE_H_
#define SFUMATO_OPS_ROPE_H_

#include <cstdint>

namespace sfumato {

/// Rotary positions in place: of each head's first rotary_dim numbers the halves are rotated against each other, (a, b)
/// becomes (a cos - b sin, b cos + a sin); the others stay.
struct RopeArguments {
  float* values;  // [rows, heads, head_dim] at the given stride
  int64_t stride;
  int64_t rows;
  int64_t heads;
  int64_t head_dim;
  int64_t rotary_dim;
  const int32_t* positions;    // [all rows]
  const int32_t* row_indices;  // [rows] which of the positions; null when all rows are there
  const float* cosines;        // [max_positions, rotary_dim / 2]
  const float* sines;
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_ROPE_H_
