#include "layers/rotary_frequencies.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sfumato {

std::vector<float> RotaryFrequencies(int64_t rotary_dim, double theta) {
  std::vector<float> frequencies;
  for (int64_t i = 0; i < rotary_dim / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(rotary_dim);
    frequencies.push_back(static_cast<float>(1.0 / std::pow(theta, exponent)));
  }
  return frequencies;
}

std::vector<float> YarnFrequencies(int64_t rotary_dim, double theta, const YarnScaling& scaling) {
  const auto size = static_cast<double>(rotary_dim);
  /// The pair, as a real number, that turns so often within the original positions.
  const auto pair_of = [&](double turns) {
    return size * std::log(scaling.original_positions / (turns * 2 * std::numbers::pi)) / (2 * std::log(theta));
  };
  const double first = std::max(std::floor(pair_of(scaling.fast_turns)), 0.0);
  double last = std::min(std::ceil(pair_of(scaling.slow_turns)), size - 1);
  if (first == last) last += 0.001;
  std::vector<float> frequencies = RotaryFrequencies(rotary_dim, theta);
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const float stretched = frequencies[i] / static_cast<float>(scaling.factor);
    const float ramp = (static_cast<float>(i) - static_cast<float>(first)) / static_cast<float>(last - first);
    const float kept = 1 - std::clamp(ramp, 0.0f, 1.0f);
    frequencies[i] = stretched * (1 - kept) + frequencies[i] * kept;
  }
  return frequencies;
}

float QueryScaling::At(int64_t position) const {
  return 1 + beta * std::log(1 + static_cast<float>(position / positions));
}

}  // namespace sfumato
