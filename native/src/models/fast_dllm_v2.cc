#include "models/families.h"
#include "models/qwen.h"

namespace sfumato {

std::unique_ptr<Model> LoadFastDllmV2(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const int64_t block_length = checkpoint.config().IntegerOr("bd_size", 1, 1 << 16, 0);
  return LoadQwen(backend, checkpoint, limits, QwenBody::kQwen2, "fast_dllm_v2", [block_length](ModelFacts& facts) {
    facts.attention = SFUMATO_ATTENTION_BLOCK_CAUSAL;
    facts.key_value_cache = true;
    facts.shifted_logits = true;
    facts.block_length = static_cast<int32_t>(block_length);
  });
}

}  // namespace sfumato
