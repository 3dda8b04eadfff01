#include <cmath>
#include <string>

#include "base/error.h"
#include "models/decoder.h"
#include "models/families.h"

namespace sfumato {
namespace {

constexpr double kMaxFactor = 1e6;

/// The part of YaRN's attention factor that belongs to one of its two multipliers.
double AttentionFactor(double factor, double multiplier) {
  return factor <= 1 ? 1 : 0.1 * multiplier * std::log(factor) + 1;
}

YarnScaling ReadYarn(const Config& rope) {
  YarnScaling yarn;
  yarn.factor = rope.Real("factor", 1 / kMaxFactor, kMaxFactor);
  yarn.original_positions = static_cast<double>(rope.Integer("original_max_position_embeddings", 1, 1 << 20));
  yarn.fast_turns = rope.RealOr("beta_fast", 1 / kMaxFactor, kMaxFactor, 32);
  yarn.slow_turns = rope.RealOr("beta_slow", 1 / kMaxFactor, kMaxFactor, 1);
  const double multiplier = rope.RealOr("mscale", 0, kMaxFactor, 0);
  const double multiplier_of_all = rope.RealOr("mscale_all_dim", 0, kMaxFactor, 0);
  double attention_factor = AttentionFactor(yarn.factor, 1);
  if (multiplier != 0 && multiplier_of_all != 0) {
    attention_factor = AttentionFactor(yarn.factor, multiplier) / AttentionFactor(yarn.factor, multiplier_of_all);
  }
  yarn.attention_factor = static_cast<float>(rope.RealOr("attention_factor", 0, kMaxFactor, attention_factor));
  return yarn;
}

/// Reads the config and refuses what a decoder does not compute.
DecoderConfig ReadConfig(const Config& config) {
  config.RequireText("hidden_act", "silu");
  config.RequireText("dlm_paradigm", "bidirectional");
  for (const char* field : {"attention_bias", "mlp_bias", "tie_word_embeddings"}) config.RequireBoolean(field, false);
  config.RequireNull("sliding_window");
  const Config rope = config.Section("rope_parameters");
  rope.RequireText("rope_type", "yarn");
  rope.RequireBoolean("truncate", true);
  rope.RequireNull("partial_rotary_factor");
  DecoderConfig c = ReadDecoderSizes(config);
  c.attention.head_dim = config.IntegerOr("head_dim", 1, 1 << 12, 128);
  c.rotary_dim = c.attention.head_dim;
  c.rope_theta = rope.Real("rope_theta", 2, 1e12);
  c.yarn = ReadYarn(rope);
  c.query_scaling.beta = static_cast<float>(rope.RealOr("llama_4_scaling_beta", 0, 1e3, 0));
  c.query_scaling.positions = static_cast<int64_t>(c.yarn->original_positions);
  c.epsilon = static_cast<float>(config.RealOr("rms_norm_eps", 0, 1, 1e-5));
  config.Integer("mask_token_id", 0, c.vocabulary - 1);  // undecided positions hold nothing else
  CheckHeads(c, "num_attention_heads", "num_key_value_heads");
  return c;
}

DecoderTensors FindTensors(TensorFinder& find, const Config& config, const DecoderConfig& c) {
  const int64_t inner = config.Integer("intermediate_size", 1, 1 << 18);
  DecoderTensors t;
  t.embedding = find("encoder.embed_tokens.weight", {c.vocabulary, c.width});
  t.norm = find("encoder.norm.weight", {c.width});
  t.head = find("diffusion_head.weight", {c.vocabulary, c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string root = "encoder.layers." + std::to_string(i) + ".";
    t.layers.push_back(FindLayer(find, root, c));
    t.layers.back().dense = FindGated(find, root + "mlp.", inner, c.width);
  }
  find.Finish();
  return t;
}

}  // namespace

std::unique_ptr<Model> LoadNemotronLabsDiffusion(Backend& backend, const Checkpoint& checkpoint,
                                                 const ModelLimits& limits) {
  const Config& config = checkpoint.config();
  const DecoderConfig decoder = ReadConfig(config);
  TensorFinder find(checkpoint);
  const DecoderTensors tensors = FindTensors(find, config, decoder);
  ModelFacts facts = FactsOf("nemotron_labs_diffusion", config, decoder, find.parameters());
  facts.attention = SFUMATO_ATTENTION_ENCODER_CANVAS;
  facts.key_value_cache = true;
  facts.block_length = static_cast<int32_t>(config.IntegerOr("block_size", 1, 1 << 16, 32));
  return MakeDecoder(backend, decoder, tensors, limits, std::move(facts));
}

}  // namespace sfumato
