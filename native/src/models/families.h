#ifndef SFUMATO_MODELS_FAMILIES_H_
#define SFUMATO_MODELS_FAMILIES_H_

#include <memory>

#include "models/model.h"

namespace sfumato {

/// LLaDA (GSAI-ML/LLaDA-8B and 1.5): pre-RMSNorm, rotary positions, gated SiLU feed-forward, full attention.
std::unique_ptr<Model> LoadLlada(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// BertForMaskedLM: post-LayerNorm, learned positions, GELU feed-forward, full attention.
std::unique_ptr<Model> LoadBertMlm(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// ModernBertForMaskedLM: pre-LayerNorm, rotary positions, gated GELU feed-forward, windows in two of three layers.
std::unique_ptr<Model> LoadModernBertMlm(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// LLaDA-MoE-7B-A1B: norms of each head's queries and keys, mixtures of experts by softmax, full attention.
std::unique_ptr<Model> LoadLladaMoe(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// LLaDA2.0 and 2.1: partly rotary positions, mixtures of experts by grouped sigmoid beside shared ones, block-causal.
std::unique_ptr<Model> LoadLlada2Moe(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// Dream-7B and DiffuCoder: the body of Qwen2, full attention, shifted logits.
std::unique_ptr<Model> LoadDream(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// Autoregressive Qwen2 and Qwen3 turned into diffusion models by dllm, full or block-causal.
std::unique_ptr<Model> LoadA2dQwen2(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);
std::unique_ptr<Model> LoadA2dQwen3(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// DiffusionGemma, text only: causal encoder, bidirectional canvas over its cache, mixtures of experts beside dense
/// layers, self-conditioning.
std::unique_ptr<Model> LoadDiffusionGemma(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// SDAR and TraDo: the body of Qwen3, block-causal.
std::unique_ptr<Model> LoadSdar(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// SDAR-30B-A3B: the body of Qwen3's mixtures of experts, block-causal.
std::unique_ptr<Model> LoadSdarMoe(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

/// Nemotron-Labs-Diffusion: the body of Ministral 3, causal context, bidirectional canvas over its cache.
std::unique_ptr<Model> LoadNemotronLabsDiffusion(Backend& backend, const Checkpoint& checkpoint,
                                                 const ModelLimits& limits);

/// Fast-dLLM v2: the body of Qwen2, block-causal, shifted logits.
std::unique_ptr<Model> LoadFastDllmV2(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits);

}  // namespace sfumato

#endif  // SFUMATO_MODELS_FAMILIES_H_
