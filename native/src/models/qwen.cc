#include "models/qwen.h"

#include <algorithm>
#include <string>

namespace sfumato {
namespace {

/// Whether each layer is a mixture: every decoder_sparse_step-th but those of mlp_only_layers.
std::vector<bool> MixtureLayers(const Config& config, int64_t layers) {
  const int64_t step = config.IntegerOr("decoder_sparse_step", 1, layers, 1);
  const std::vector<int64_t> dense = config.IntegersOrNone("mlp_only_layers", 0, layers - 1, layers);
  std::vector<bool> mixtures;
  for (int64_t i = 0; i < layers; ++i)
    mixtures.push_back((i + 1) % step == 0 && std::find(dense.begin(), dense.end(), i) == dense.end());
  return mixtures;
}

}  // namespace

DecoderConfig ReadQwenConfig(const Config& config, QwenBody body) {
  config.RequireText("hidden_act", "silu");
  config.RequireNull("rope_scaling");
  config.RequireBoolean("use_sliding_window", false);
  config.RequireBoolean("attention_bias", body == QwenBody::kQwen2);
  DecoderConfig c = ReadDecoderSizes(config);
  c.attention.head_dim = config.IntegerOr("head_dim", 1, 1 << 12, c.attention.head_dim);
  c.rotary_dim = c.attention.head_dim;
  c.rope_theta = config.RealOr("rope_theta", 1, 1e12, 10000);
  c.epsilon = static_cast<float>(config.RealOr("rms_norm_eps", 0, 1, 1e-6));
  if (body == QwenBody::kQwen3Moe) {
    c.router.experts = config.Integer("num_experts", 1, kMaxExperts);
    c.router.chosen = config.Integer("num_experts_per_tok", 1, c.router.experts);
    c.router.normalized = config.BooleanOr("norm_topk_prob", false);
  }
  CheckHeads(c, "num_attention_heads", "num_key_value_heads");
  return c;
}

DecoderTensors FindQwenTensors(TensorFinder& find, const Config& config, const DecoderConfig& c, QwenBody body) {
  std::vector<bool> mixtures(static_cast<size_t>(c.layers));
  int64_t expert_inner = 0;
  if (body == QwenBody::kQwen3Moe) {
    mixtures = MixtureLayers(config, c.layers);
    expert_inner = config.Integer("moe_intermediate_size", 1, 1 << 18);
  }
  const int64_t inner = config.Integer("intermediate_size", 1, 1 << 18);
  DecoderTensors t;
  t.embedding = find("model.embed_tokens.weight", {c.vocabulary, c.width});
  t.norm = find("model.norm.weight", {c.width});
  t.head =
      config.BooleanOr("tie_word_embeddings", false) ? t.embedding : find("lm_head.weight", {c.vocabulary, c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string root = "model.layers." + std::to_string(i) + ".";
    const std::string attention = root + "self_attn.";
    DecoderLayerTensors layer = FindLayer(find, root, c);
    if (body == QwenBody::kQwen2) {
      layer.query_bias = find(attention + "q_proj.bias", {c.query_width()});
      layer.key_bias = find(attention + "k_proj.bias", {c.kv_width()});
      layer.value_bias = find(attention + "v_proj.bias", {c.kv_width()});
    } else {
      layer.query_norm = find(attention + "q_norm.weight", {c.attention.head_dim});
      layer.key_norm = find(attention + "k_norm.weight", {c.attention.head_dim});
    }
    if (mixtures[static_cast<size_t>(i)]) {
      layer.router = find(root + "mlp.gate.weight", {c.router.experts, c.width});
      layer.experts = FindExperts(find, root + "mlp.experts.", c.router.experts, expert_inner, c.width);
    } else {
      layer.dense = FindGated(find, root + "mlp.", inner, c.width);
    }
    t.layers.push_back(std::move(layer));
  }
  find.Finish({"lm_head.weight"});
  return t;
}

}  // namespace sfumato
