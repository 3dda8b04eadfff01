#include "models/families.h"
#include "models/qwen.h"

namespace sfumato {
namespace {

std::unique_ptr<Model> Load(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits, QwenBody body,
                            const char* family) {
  const int64_t block_length = checkpoint.config().IntegerOr("block_size", 1, 1 << 16, 0);
  return LoadQwen(backend, checkpoint, limits, body, family, [block_length](ModelFacts& facts) {
    facts.attention = SFUMATO_ATTENTION_BLOCK_CAUSAL;
    facts.key_value_cache = true;
    facts.block_length = static_cast<int32_t>(block_length);
  });
}

}  // namespace

std::unique_ptr<Model> LoadSdar(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  return Load(backend, checkpoint, limits, QwenBody::kQwen3, "sdar");
}

std::unique_ptr<Model> LoadSdarMoe(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  return Load(backend, checkpoint, limits, QwenBody::kQwen3Moe, "sdar_moe");
}

}  // namespace sfumato
