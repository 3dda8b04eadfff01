#ifndef SFUMATO_LAYERS_ROPE_TABLE_H_
#define SFUMATO_LAYERS_ROPE_TABLE_H_

#include <cmath>
#include <memory>
#include <vector>

#include "ops/backend.h"

namespace sfumato {

/// Cosines and sines of all positions, for the first rotary_dim numbers of each head. Frequencies and angles are rounded to float as the reference implementations do,
/// since at large positions that rounding is visible.
struct RopeTable {
  std::unique_ptr<Buffer> cosines;  // [max_positions, rotary_dim / 2]
  std::unique_ptr<Buffer> sines;
  int64_t rotary_dim = 0;

  /// rotated: of the pairs, the leading ones that turn at all; -1 for all.
  static RopeTable Build(Backend& backend, int64_t max_positions, int64_t rotary_dim, double theta,
                         int64_t rotated = -1) {
    const int64_t half = rotary_dim / 2;
    std::vector<float> cosines(static_cast<size_t>(max_positions * half));
    std::vector<float> sines(cosines.size());
    for (int64_t i = 0; i < half; ++i) {
      const auto frequency = rotated >= 0 && i >= rotated
                                 ? 0.0f
                                 : static_cast<float>(1.0 / std::pow(theta, 2.0 * static_cast<double>(i) /
                                                                                static_cast<double>(rotary_dim)));
      for (int64_t position = 0; position < max_positions; ++position) {
        const float angle = static_cast<float>(position) * frequency;
        cosines[static_cast<size_t>(position * half + i)] = static_cast<float>(std::cos(static_cast<double>(angle)));
        sines[static_cast<size_t>(position * half + i)] = static_cast<float>(std::sin(static_cast<double>(angle)));
      }
    }
    return {backend.Upload(cosines), backend.Upload(sines), rotary_dim};
  }
};

}  // namespace sfumato

#endif  // SFUMATO_LAYERS_ROPE_TABLE_H_
