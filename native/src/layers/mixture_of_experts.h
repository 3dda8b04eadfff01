#ifndef SFUMATO_LAYERS_MIXTURE_OF_EXPERTS_H_
#define SFUMATO_LAYERS_MIXTURE_OF_EXPERTS_H_

#include <memory>
#include <vector>

#include "layers/feed_forward.h"

namespace sfumato {

/// Work space that all mixtures of a model share.
struct ExpertWorkspace {
  std::unique_ptr<Buffer> scores;            // [rows, experts]
  std::unique_ptr<Buffer> weights;           // [rows, chosen]
  std::unique_ptr<Buffer> inner;             // [rows * chosen, expert's inner size]
  std::unique_ptr<Buffer> outputs;           // [rows * chosen, width]
  std::unique_ptr<IndexBuffer> experts;      // [rows, chosen]
  std::unique_ptr<IndexBuffer> places;       // [rows, chosen]
  std::unique_ptr<IndexBuffer> rows_placed;  // [rows * chosen]
  std::unique_ptr<IndexBuffer> ends;         // [experts]

  static ExpertWorkspace Allocate(Backend& backend, int64_t rows, const RouterRules& rules, int64_t width,
                                  int64_t inner);
};

/// Many feed-forward layers of which each row runs through a few, chosen by a router, their outputs weighed and summed.
struct MixtureOfExperts {
  RouterRules rules;
  Linear router;
  std::unique_ptr<Buffer> bias;          // [experts]; null for none. RouterRules::bias points here.
  std::unique_ptr<Buffer> expert_scale;  // the same of RouterRules::expert_scale
  std::vector<FeedForward> experts;
  std::unique_ptr<MatrixGroup> ups = nullptr;  // of the experts, set by GroupExperts
  std::unique_ptr<MatrixGroup> downs = nullptr;

  /// Once all experts are there.
  void GroupExperts(Backend& backend);

  /// Rows of the input choose by router_input, which most families let be the same. Writes the output or adds to it.
  void Run(Backend& backend, const float* router_input, OperandView input, int64_t rows, ExpertWorkspace& workspace,
           bool add, float* output) const;
};

}  // namespace sfumato

#endif  // SFUMATO_LAYERS_MIXTURE_OF_EXPERTS_H_
