#include "layers/mixture_of_experts.h"

namespace sfumato {

ExpertWorkspace ExpertWorkspace::Allocate(Backend& backend, int64_t rows, const RouterRules& rules, int64_t width,
                                          int64_t inner) {
  const int64_t places = rows * rules.chosen;
  const auto count = static_cast<size_t>(places);
  return {backend.Allocate(rows * rules.experts),
          backend.Allocate(places),
          backend.Allocate(places * width),
          backend.Allocate(places * inner),
          backend.Allocate(places * width),
          std::vector<int32_t>(count),
          std::vector<int32_t>(count),
          std::vector<int32_t>(count),
          std::vector<int32_t>(static_cast<size_t>(rules.experts))};
}

void MixtureOfExperts::Run(Backend& backend, const float* router_input, const float* input, int64_t rows,
                           ExpertWorkspace& workspace, bool add, float* output) const {
  const int64_t width = experts.front().down.weights->outputs();
  const int64_t inner = experts.front().up.weights->outputs();
  router.Run(backend, Part::kRouter, router_input, rows, Epilogue::kStore, workspace.scores->data());
  backend.Route({rules, workspace.scores->data(), rows, workspace.experts.data(), workspace.weights->data(),
                 workspace.places.data(), workspace.rows_placed.data(), workspace.ends.data()});
  backend.Gather({input, workspace.rows_placed.data(), rows * rules.chosen, width, workspace.inputs->data()});
  int64_t start = 0;
  for (size_t expert = 0; expert < experts.size(); ++expert) {
    const int64_t count = workspace.ends[expert] - start;
    if (count > 0) {
      experts[expert].RunInto(backend, workspace.inputs->data() + start * width, count,
                              workspace.inner->data() + start * inner, workspace.outputs->data() + start * width);
    }
    start += count;
  }
  backend.Combine({workspace.outputs->data(), workspace.places.data(), workspace.weights->data(), rows, rules.chosen,
                   width, add, output});
}

}  // namespace sfumato
