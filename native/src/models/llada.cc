#include <string>

#include "base/error.h"
#include "models/decoder.h"
#include "models/families.h"

namespace sfumato {
namespace {

/// Reads the config and refuses what a decoder does not compute.
DecoderConfig ReadConfig(const Config& config) {
  config.RequireText("activation_type", "silu");
  config.RequireText("block_type", "llama");
  config.RequireText("layer_norm_type", "rms");
  config.RequireBoolean("rope", true);
  config.RequireBoolean("alibi", false);
  config.RequireBoolean("attention_layer_norm", false);
  config.RequireBoolean("bias_for_layer_norm", false);
  config.RequireBoolean("include_bias", false);
  config.RequireBoolean("include_qkv_bias", false);
  config.RequireBoolean("input_emb_norm", false);
  config.RequireBoolean("layer_norm_with_affine", true);
  config.RequireBoolean("scale_logits", false);
  DecoderConfig c;
  c.width = config.Integer("d_model", 1, 1 << 16);
  c.layers = config.Integer("n_layers", 1, 1024);
  c.attention.heads = config.Integer("n_heads", 1, 1024);
  c.attention.kv_heads = config.IntegerOr("n_kv_heads", 1, c.attention.heads, c.attention.heads);
  c.attention.head_dim = c.width % c.attention.heads == 0 ? c.width / c.attention.heads : 0;
  c.rotary_dim = c.attention.head_dim;
  const int64_t tokens = config.Integer("vocab_size", 1, 1 << 24);
  c.vocabulary = config.IntegerOr("embedding_size", tokens, 1 << 24, tokens);
  c.max_positions = config.Integer("max_sequence_length", 1, 1 << 20);
  c.rope_theta = config.RealOr("rope_theta", 1, 1e12, 10000);
  c.epsilon = static_cast<float>(config.RealOr("rms_norm_eps", 0, 1, 1e-5));
  CheckHeads(c, "n_heads", "n_kv_heads");
  return c;
}

DecoderTensors FindTensors(TensorFinder& find, const Config& config, const DecoderConfig& c) {
  const std::string root = "model.transformer.";
  const int64_t inner = config.IntegerOr("mlp_hidden_size", 1, 1 << 18, 4 * c.width);
  DecoderTensors t;
  t.embedding = find(root + "wte.weight", {c.vocabulary, c.width});
  t.norm = find(root + "ln_f.weight", {c.width});
  t.head =
      config.BooleanOr("weight_tying", false) ? t.embedding : find(root + "ff_out.weight", {c.vocabulary, c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string block = root + "blocks." + std::to_string(i) + ".";
    DecoderLayerTensors layer;
    layer.attention_norm = find(block + "attn_norm.weight", {c.width});
    layer.query = find(block + "q_proj.weight", {c.query_width(), c.width});
    layer.key = find(block + "k_proj.weight", {c.kv_width(), c.width});
    layer.value = find(block + "v_proj.weight", {c.kv_width(), c.width});
    layer.attention_output = find(block + "attn_out.weight", {c.width, c.query_width()});
    layer.feed_forward_norm = find(block + "ff_norm.weight", {c.width});
    layer.dense =
        GatedTensors{find(block + "ff_proj.weight", {inner, c.width}), find(block + "up_proj.weight", {inner, c.width}),
                     find(block + "ff_out.weight", {c.width, inner})};
    t.layers.push_back(std::move(layer));
  }
  find.Finish();
  return t;
}

}  // namespace

std::unique_ptr<Model> LoadLlada(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const Config& config = checkpoint.config();
  const DecoderConfig decoder = ReadConfig(config);
  TensorFinder find(checkpoint);
  const DecoderTensors tensors = FindTensors(find, config, decoder);
  ModelFacts facts = FactsOf("llada", config, decoder, find.parameters());
  return MakeDecoder(backend, decoder, tensors, limits, std::move(facts));
}

}  // namespace sfumato
