#include <string>

#include "base/error.h"
#include "models/decoder.h"
#include "models/families.h"

namespace sfumato {
namespace {

/// Reads the config and refuses what a decoder does not compute.
DecoderConfig ReadConfig(const Config& config) {
  config.RequireText("hidden_act", "silu");
  config.RequireText("moe_router_score_function", "softmax");
  config.RequireBoolean("attention_bias", false);
  config.RequireBoolean("qk_layernorm", true);
  config.RequireBoolean("norm_topk_prob", false);
  for (const char* field :
       {"rope_scaling", "clip_qkv", "router_num_group", "router_topk_group", "shared_expert_intermediate_size"}) {
    config.RequireNull(field);
  }
  DecoderConfig c = ReadDecoderSizes(config);
  c.rotary_dim =
      static_cast<int64_t>(static_cast<double>(c.attention.head_dim) * config.RealOr("partial_rotary_factor", 0, 1, 1));
  c.rope_theta = config.RealOr("rope_theta", 1, 1e12, 10000);
  c.epsilon = static_cast<float>(config.RealOr("rms_norm_eps", 0, 1, 1e-5));
  c.router.experts = config.Integer("num_experts", 1, kMaxExperts);
  c.router.chosen = config.Integer("num_experts_per_tok", 1, c.router.experts);
  c.router.scale = static_cast<float>(config.RealOr("routed_scaling_factor", 0, 1e6, 1));
  // The reference weighs by the biased scores.
  c.router.bias_weighs = true;
  CheckHeads(c, "num_attention_heads", "num_key_value_heads");
  return c;
}

DecoderTensors FindTensors(TensorFinder& find, const Config& config, const DecoderConfig& c) {
  const int64_t dense_inner = config.Integer("dense_intermediate_size", 1, 1 << 18);
  const int64_t expert_inner = config.Integer("expert_intermediate_size", 1, 1 << 18);
  const bool biased = config.BooleanOr("moe_router_enable_expert_bias", false);
  const std::vector<int64_t> has_experts = config.Integers("moe_layer_freq", 0, 1, c.layers);
  DecoderTensors t;
  t.embedding = find("model.embed_tokens.weight", {c.vocabulary, c.width});
  t.norm = find("model.norm.weight", {c.width});
  t.head =
      config.BooleanOr("tie_word_embeddings", false) ? t.embedding : find("lm_head.weight", {c.vocabulary, c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string root = "model.layers." + std::to_string(i) + ".";
    const std::string attention = root + "self_attn.";
    DecoderLayerTensors layer = FindLayer(find, root, c);
    layer.query_norm = find(attention + "q_norm.weight", {c.attention.head_dim});
    layer.key_norm = find(attention + "k_norm.weight", {c.attention.head_dim});
    if (has_experts[static_cast<size_t>(i)] == 0) {
      layer.dense = FindGated(find, root + "mlp.", dense_inner, c.width);
    } else {
      layer.router = find(root + "mlp.gate.weight", {c.router.experts, c.width});
      if (biased) layer.router_bias = find(root + "mlp.expert_bias", {c.router.experts});
      layer.experts = FindExperts(find, root + "mlp.experts.", c.router.experts, expert_inner, c.width);
    }
    t.layers.push_back(std::move(layer));
  }
  find.Finish();
  return t;
}

}  // namespace

std::unique_ptr<Model> LoadLladaMoe(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const Config& config = checkpoint.config();
  const DecoderConfig decoder = ReadConfig(config);
  TensorFinder find(checkpoint);
  const DecoderTensors tensors = FindTensors(find, config, decoder);
  ModelFacts facts = FactsOf("llada_moe", config, decoder, find.parameters());
  return MakeDecoder(backend, decoder, tensors, limits, std::move(facts));
}

}  // namespace sfumato
