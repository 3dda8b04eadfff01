#include "models/families.h"
#include "models/qwen.h"

namespace sfumato {
namespace {

/// Samplers of both kinds come with these checkpoints, which are trained for one of them.
void AllowBothKindsOfAttention(ModelFacts& facts) {
  facts.attention = SFUMATO_ATTENTION_FULL_OR_BLOCK_CAUSAL;
  facts.key_value_cache = true;
}

}  // namespace

std::unique_ptr<Model> LoadA2dQwen2(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  return LoadQwen(backend, checkpoint, limits, QwenBody::kQwen2, "a2d_qwen2", AllowBothKindsOfAttention);
}

std::unique_ptr<Model> LoadA2dQwen3(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  return LoadQwen(backend, checkpoint, limits, QwenBody::kQwen3, "a2d_qwen3", AllowBothKindsOfAttention);
}

}  // namespace sfumato
