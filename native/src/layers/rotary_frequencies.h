#ifndef SFUMATO_LAYERS_ROTARY_FREQUENCIES_H_
#define SFUMATO_LAYERS_ROTARY_FREQUENCIES_H_

#include <cstdint>
#include <vector>

namespace sfumato {

/// theta^(-2i / rotary_dim) for the pairs i = 0..rotary_dim / 2 - 1, rounded to float.
std::vector<float> RotaryFrequencies(int64_t rotary_dim, double theta);

/// How YaRN (Peng et al., 2023) stretches rotary positions beyond those of the training.
struct YarnScaling {
  double factor = 1;
  double original_positions = 1;
  /// Pairs that turn more often than fast within the original positions keep their frequency, those that turn less often
  /// than slow have it divided by the factor; those between, something between.
  double fast_turns = 32;
  double slow_turns = 1;
  /// Multiplies all cosines and sines.
  float attention_factor = 1;
};

/// The frequencies of RotaryFrequencies, stretched.
std::vector<float> YarnFrequencies(int64_t rotary_dim, double theta, const YarnScaling& scaling);

/// Queries that grow with their position (Llama 4), so that attention stays sharp over long contexts: a factor of 1 + beta
/// ln(1 + floor(position / positions)).
struct QueryScaling {
  float beta = 0;
  int64_t positions = 1;

  float At(int64_t position) const;
};

}  // namespace sfumato

#endif  // SFUMATO_LAYERS_ROTARY_FREQUENCIES_H_
