#ifndef SFUMATO_MODELS_FAMILIES_H_
#define SFUMATO_MODELS_FAMILIES_H_

#include <memory>

#include "models/model.h"

namespace sfumato {

/// LLaDA (GSAI-ML/LLaDA-8B and 1.5): pre-RMSNorm, rotary positions, gated SiLU feed-forward, full attention.
std::unique_ptr<Model> LoadLlada(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// BertForMaskedLM: post-LayerNorm, learned positions, GELU feed-forward, full attention.
std::unique_ptr<Model> LoadBertMlm(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

}  // namespace sfumato

#endif  // SFUMATO_MODELS_FAMILIES_H_
