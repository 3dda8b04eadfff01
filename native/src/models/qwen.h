#ifndef SFUMATO_MODELS_QWEN_H_
#define SFUMATO_MODELS_QWEN_H_

#include "models/decoder.h"

namespace sfumato {

/// What tells the bodies of Qwen2 and Qwen3 apart.
enum class QwenBody {
  /// Biases of the query, key and value projections.
  kQwen2,
  /// Norms of each head's queries and keys.
  kQwen3,
  /// The same, with mixtures of experts by softmax in all layers or in some.
  kQwen3Moe,
};

/// Loads a checkpoint in the layout of Qwen2ForCausalLM, Qwen3ForCausalLM or Qwen3MoeForCausalLM. The facts are
/// FactsOf with full attention, changed by adjust.
template <class Adjust>
std::unique_ptr<Model> LoadQwen(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits,
                                QwenBody body, const char* family, const Adjust& adjust);

/// Reads the config and refuses what a decoder does not compute.
DecoderConfig ReadQwenConfig(const Config& config, QwenBody body);

/// model.embed_tokens, model.layers.N.{input_layernorm, self_attn, post_attention_layernorm, mlp}, model.norm, lm_head;
/// of a mixture, mlp.{gate, experts.E}.
DecoderTensors FindQwenTensors(TensorFinder& find, const Config& config, const DecoderConfig& decoder, QwenBody body);

template <class Adjust>
std::unique_ptr<Model> LoadQwen(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits,
                                QwenBody body, const char* family, const Adjust& adjust) {
  const Config& config = checkpoint.config();
  const DecoderConfig decoder = ReadQwenConfig(config, body);
  TensorFinder find(checkpoint);
  const DecoderTensors tensors = FindQwenTensors(find, config, decoder, body);
  ModelFacts facts = FactsOf(family, config, decoder, find.parameters());
  adjust(facts);
  return MakeDecoder(backend, decoder, tensors, limits, std::move(facts));
}

}  // namespace sfumato

#endif  // SFUMATO_MODELS_QWEN_H_
