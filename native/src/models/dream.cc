#include "models/families.h"
#include "models/qwen.h"

namespace sfumato {

std::unique_ptr<Model> LoadDream(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  return LoadQwen(backend, checkpoint, limits, QwenBody::kQwen2, "dream",
                  [](ModelFacts& facts) { facts.shifted_logits = true; });
}

}  // namespace sfumato
