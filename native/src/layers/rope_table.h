#ifndef SFUMATO_LAYERS_ROPE_TABLE_H_
#define SFUMATO_LAYERS_ROPE_TABLE_H_

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "layers/rotary_frequencies.h"
#include "ops/backend.h"

namespace sfumato {

/// Cosines and sines of all positions, for the first rotary_dim numbers of each head. Frequencies and angles are rounded
/// to float as the reference implementations do, since at large positions that rounding is visible.
struct RopeTable {
  std::unique_ptr<Buffer> cosines;  // [max_positions, rotary_dim / 2]
  std::unique_ptr<Buffer> sines;
  int64_t rotary_dim = 0;

  /// rotated: of the pairs, the leading ones that turn at all; -1 for all.
  static RopeTable Build(Backend& backend, int64_t max_positions, int64_t rotary_dim, double theta,
                         int64_t rotated = -1) {
    std::vector<float> frequencies = RotaryFrequencies(rotary_dim, theta);
    if (rotated >= 0) std::fill(frequencies.begin() + std::min(rotated, rotary_dim / 2), frequencies.end(), 0.0f);
    return Build(backend, max_positions, frequencies, [](int64_t) { return 1.0f; });
  }

  /// frequencies: [rotary_dim / 2]. scale(position) is a factor of the position's cosines and sines: what is rotated by
  /// them is scaled as well.
  template <class Scale>
  static RopeTable Build(Backend& backend, int64_t max_positions, const std::vector<float>& frequencies,
                         const Scale& scale) {
    const auto half = static_cast<int64_t>(frequencies.size());
    std::vector<float> cosines(static_cast<size_t>(max_positions * half));
    std::vector<float> sines(cosines.size());
    const int64_t computed = backend.plans_only() ? 0 : max_positions;
    for (int64_t position = 0; position < computed; ++position) {
      const float factor = scale(position);
      for (int64_t i = 0; i < half; ++i) {
        const float angle = static_cast<float>(position) * frequencies[static_cast<size_t>(i)];
        const auto place = static_cast<size_t>(position * half + i);
        cosines[place] = factor * static_cast<float>(std::cos(static_cast<double>(angle)));
        sines[place] = factor * static_cast<float>(std::sin(static_cast<double>(angle)));
      }
    }
    return {backend.Upload(cosines), backend.Upload(sines), 2 * half};
  }
};

}  // namespace sfumato

#endif  // SFUMATO_LAYERS_ROPE_TABLE_H_
