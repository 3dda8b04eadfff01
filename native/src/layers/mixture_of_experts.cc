#include "layers/mixture_of_experts.h"

namespace sfumato {

ExpertWorkspace ExpertWorkspace::Allocate(Backend& backend, int64_t rows, const RouterRules& rules, int64_t width,
                                          int64_t inner) {
  const int64_t places = rows * rules.chosen;
  return {backend.Allocate(rows * rules.experts),  backend.Allocate(places),
          backend.AllocateOperand(places * inner), backend.Allocate(places * width),
          backend.AllocateIndices(places),         backend.AllocateIndices(places),
          backend.AllocateIndices(places),         backend.AllocateIndices(rules.experts)};
}

void MixtureOfExperts::GroupExperts(Backend& backend) {
  const auto group = [&](Linear FeedForward::*linear) {
    std::vector<const PackedMatrix*> matrices;
    for (const FeedForward& expert : experts) matrices.push_back((expert.*linear).weights.get());
    return backend.Group(matrices);
  };
  ups = group(&FeedForward::up);
  downs = group(&FeedForward::down);
}

void MixtureOfExperts::Run(Backend& backend, const float* router_input, OperandView input, int64_t rows,
                           ExpertWorkspace& workspace, bool add, float* output) const {
  const int64_t width = experts.front().down.weights->outputs();
  router.Run(backend, Part::kRouter, router_input, rows, Epilogue::kStore, workspace.scores->data());
  backend.Route({rules, workspace.scores->data(), rows, workspace.experts->data(), workspace.weights->data(),
                 workspace.places->data(), workspace.rows_placed->data(), workspace.ends->data()});
  const int64_t places = rows * rules.chosen;
  backend.GroupedMatmul({Part::kFeedForward, input, workspace.rows_placed->data(), places, workspace.ends->data(),
                         ups.get(), experts.front().activation, workspace.inner->operand()});
  backend.GroupedMatmul({Part::kFeedForward, workspace.inner->operand(), nullptr, places, workspace.ends->data(),
                         downs.get(), Epilogue::kStore, workspace.outputs->data()});
  backend.Combine({workspace.outputs->data(), workspace.places->data(), workspace.weights->data(), rows, rules.chosen,
                   width, add, output});
}

}  // namespace sfumato
