#ifndef SFUMATO_OPS_EXPERTS_H_
#define SFUMATO_OPS_EXPERTS_H_

#include <cstdint>

namespace sfumato {

/// How a mixture of experts chooses among them for each row, and how it weighs those chosen.
struct RouterRules {
  enum class Score { kSoftmax, kSigmoid };

  Score score = Score::kSoftmax;
  int64_t experts = 1;
  /// Experts of a row.
  int64_t chosen = 1;
  /// Added to the scores before the choice, and to the weights only where bias_weighs. Null for none.
  const float* bias = nullptr;  // [experts]
  bool bias_weighs = false;
  /// Experts come in so many groups of equal size; only those of the chosen_groups best, by the sum of their two best
  /// scores, are eligible.
  int64_t groups = 1;
  int64_t chosen_groups = 1;
  /// Whether the weights of a row are divided by their sum.
  bool normalized = false;
  float scale = 1;
  const float* expert_scale = nullptr;  // [experts] factors of the weights; null for none
};

/// Most experts of a layer.
constexpr int64_t kMaxExperts = 1024;

/// Chooses each row's experts, the smaller index among equals, and gives every choice a place so that those of one
/// expert lie together. A row's experts and weights depend on its own scores only.
struct RouteArguments {
  RouterRules rules;
  const float* logits;  // [rows, experts]
  int64_t rows;
  int32_t* experts;      // [rows, chosen] ascending
  float* weights;        // [rows, chosen]
  int32_t* places;       // [rows, chosen] 0..rows * chosen - 1
  int32_t* rows_placed;  // [rows * chosen] the row at each place
  int32_t* ends;         // [experts] one more than the last place of each expert
};

/// output[row] = or += sum over the row's choices, in order, of weight times input[place].
struct CombineArguments {
  const float* input;  // [rows * chosen, width]
  const int32_t* places;
  const float* weights;
  int64_t rows;
  int64_t chosen;
  int64_t width;
  bool add;
  float* output;  // [rows, width]
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_EXPERTS_H_
