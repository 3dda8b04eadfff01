#include <string>

#include "base/error.h"
#include "models/decoder.h"
#include "models/families.h"

namespace sfumato {
namespace {

/// Reads the config and refuses what a decoder does not compute.
DecoderConfig ReadConfig(const Config& config) {
  config.RequireText("hidden_act", "silu");
  config.RequireText("score_function", "sigmoid");
  config.RequireBoolean("use_bias", false);
  config.RequireBoolean("use_qkv_bias", false);
  config.RequireBoolean("use_qk_norm", true);
  config.RequireBoolean("use_rmsnorm", true);
  config.RequireBoolean("norm_head", false);
  config.RequireBoolean("use_sliding_window", false);
  config.RequireNull("rope_scaling");
  DecoderConfig c = ReadDecoderSizes(config);
  c.attention.head_dim = config.IntegerOr("head_dim", 1, 1 << 12, c.attention.head_dim);
  c.rotary_dim =
      static_cast<int64_t>(static_cast<double>(c.attention.head_dim) * config.RealOr("partial_rotary_factor", 0, 1, 1));
  c.rope_theta = config.RealOr("rope_theta", 1, 1e12, 10000);
  c.epsilon = static_cast<float>(config.RealOr("rms_norm_eps", 0, 1, 1e-6));
  c.router.score = RouterRules::Score::kSigmoid;
  c.router.experts = config.Integer("num_experts", 1, kMaxExperts);
  c.router.chosen = config.Integer("num_experts_per_tok", 1, c.router.experts);
  c.router.groups = config.IntegerOr("n_group", 1, c.router.experts, 1);
  c.router.chosen_groups = config.IntegerOr("topk_group", 1, c.router.groups, c.router.groups);
  c.router.normalized = c.router.chosen > 1 && config.BooleanOr("norm_topk_prob", true);
  c.router.scale = static_cast<float>(config.RealOr("routed_scaling_factor", 0, 1e6, 1));
  const int64_t eligible = c.router.experts / c.router.groups * c.router.chosen_groups;
  if (c.router.experts % c.router.groups != 0 || c.router.chosen > eligible) {
    Fail(SFUMATO_DATA_LOSS, "config.json n_group", c.router.groups,
         "a divisor of num_experts " + std::to_string(c.router.experts) + " whose topk_group groups hold " +
             std::to_string(c.router.chosen) + " experts");
  }
  CheckHeads(c, "num_attention_heads", "num_key_value_heads");
  return c;
}

void FindFeedForward(TensorFinder& find, const Config& config, const DecoderConfig& c, const std::string& root,
                     DecoderLayerTensors& layer) {
  const int64_t inner = config.Integer("moe_intermediate_size", 1, 1 << 18);
  const int64_t shared = config.IntegerOr("num_shared_experts", 0, 1024, 0);
  layer.router = find(root + "gate.weight", {c.router.experts, c.width});
  if (config.BooleanOr("moe_router_enable_expert_bias", true))
    layer.router_bias = find(root + "gate.expert_bias", {c.router.experts});
  layer.experts = FindExperts(find, root + "experts.", c.router.experts, inner, c.width);
  if (shared > 0) layer.dense = FindGated(find, root + "shared_experts.", shared * inner, c.width);
}

DecoderTensors FindTensors(TensorFinder& find, const Config& config, const DecoderConfig& c) {
  const int64_t dense_inner = config.Integer("intermediate_size", 1, 1 << 18);
  const int64_t dense_layers = config.IntegerOr("first_k_dense_replace", 0, c.layers, 0);
  const int64_t query_width = c.query_width();
  const int64_t kv_width = c.kv_width();
  DecoderTensors t;
  t.embedding = find("model.word_embeddings.weight", {c.vocabulary, c.width});
  t.norm = find("model.norm.weight", {c.width});
  t.head =
      config.BooleanOr("tie_word_embeddings", false) ? t.embedding : find("lm_head.weight", {c.vocabulary, c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string root = "model.layers." + std::to_string(i) + ".";
    const std::string attention = root + "attention.";
    DecoderLayerTensors layer;
    layer.attention_norm = find(root + "input_layernorm.weight", {c.width});
    const TensorView fused = find(attention + "query_key_value.weight", {query_width + 2 * kv_width, c.width});
    layer.query = RowsOf(fused, 0, query_width);
    layer.key = RowsOf(fused, query_width, kv_width);
    layer.value = RowsOf(fused, query_width + kv_width, kv_width);
    layer.query_norm = find(attention + "query_layernorm.weight", {c.attention.head_dim});
    layer.key_norm = find(attention + "key_layernorm.weight", {c.attention.head_dim});
    layer.attention_output = find(attention + "dense.weight", {c.width, query_width});
    layer.feed_forward_norm = find(root + "post_attention_layernorm.weight", {c.width});
    if (i < dense_layers) {
      layer.dense = FindGated(find, root + "mlp.", dense_inner, c.width);
    } else {
      FindFeedForward(find, config, c, root + "mlp.", layer);
    }
    t.layers.push_back(std::move(layer));
  }
  find.Finish();
  return t;
}

}  // namespace

std::unique_ptr<Model> LoadLlada2Moe(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const Config& config = checkpoint.config();
  const DecoderConfig decoder = ReadConfig(config);
  TensorFinder find(checkpoint);
  const DecoderTensors tensors = FindTensors(find, config, decoder);
  ModelFacts facts = FactsOf("llada2_moe", config, decoder, find.parameters());
  facts.attention = SFUMATO_ATTENTION_BLOCK_CAUSAL;
  facts.key_value_cache = true;
  return MakeDecoder(backend, decoder, tensors, limits, std::move(facts));
}

}  // namespace sfumato
