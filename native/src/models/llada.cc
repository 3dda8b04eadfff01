#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "layers/feed_forward.h"
#include "layers/key_value_cache.h"
#include "layers/self_attention.h"
#include "models/families.h"
#include "models/tensor_finder.h"

namespace sfumato {
namespace {

struct LladaConfig {
  int64_t width;
  int64_t layers;
  AttentionShape attention;
  int64_t feed_forward;
  int64_t vocabulary;
  int64_t max_positions;
  double rope_theta;
  float epsilon;
  bool tied;
};

/// Reads the config and refuses what the graph below does not compute.
LladaConfig ReadConfig(const Config& config) {
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
  LladaConfig c;
  c.width = config.Integer("d_model", 1, 1 << 16);
  c.layers = config.Integer("n_layers", 1, 1024);
  c.attention.heads = config.Integer("n_heads", 1, 1024);
  c.attention.kv_heads = config.IntegerOr("n_kv_heads", 1, c.attention.heads, c.attention.heads);
  c.attention.head_dim = c.width / c.attention.heads;
  c.feed_forward = config.IntegerOr("mlp_hidden_size", 1, 1 << 18, 4 * c.width);
  const int64_t tokens = config.Integer("vocab_size", 1, 1 << 24);
  c.vocabulary = config.IntegerOr("embedding_size", tokens, 1 << 24, tokens);
  c.max_positions = config.Integer("max_sequence_length", 1, 1 << 20);
  c.rope_theta = config.RealOr("rope_theta", 1, 1e12, 10000);
  c.epsilon = static_cast<float>(config.RealOr("rms_norm_eps", 0, 1, 1e-5));
  c.tied = config.BooleanOr("weight_tying", false);
  if (c.width % c.attention.heads != 0 || c.attention.head_dim % 2 != 0) {
    Fail(SFUMATO_DATA_LOSS, "config.json n_heads", c.attention.heads,
         "an even part of d_model " + std::to_string(c.width));
  }
  if (c.attention.heads % c.attention.kv_heads != 0) {
    Fail(SFUMATO_DATA_LOSS, "config.json n_kv_heads", c.attention.kv_heads,
         "a divisor of n_heads " + std::to_string(c.attention.heads));
  }
  return c;
}

struct LayerTensors {
  TensorView attention_norm, query, key, value, attention_output, feed_forward_norm, gate, up, down;
};

struct Tensors {
  TensorView embedding, norm, head;
  std::vector<LayerTensors> layers;
};

Tensors FindTensors(TensorFinder& find, const LladaConfig& c) {
  const std::string root = "model.transformer.";
  const int64_t kv_width = c.attention.kv_heads * c.attention.head_dim;
  Tensors t;
  t.embedding = find(root + "wte.weight", {c.vocabulary, c.width});
  t.norm = find(root + "ln_f.weight", {c.width});
  t.head = c.tied ? t.embedding : find(root + "ff_out.weight", {c.vocabulary, c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string block = root + "blocks." + std::to_string(i) + ".";
    LayerTensors layer;
    layer.attention_norm = find(block + "attn_norm.weight", {c.width});
    layer.query = find(block + "q_proj.weight", {c.width, c.width});
    layer.key = find(block + "k_proj.weight", {kv_width, c.width});
    layer.value = find(block + "v_proj.weight", {kv_width, c.width});
    layer.attention_output = find(block + "attn_out.weight", {c.width, c.width});
    layer.feed_forward_norm = find(block + "ff_norm.weight", {c.width});
    layer.gate = find(block + "ff_proj.weight", {c.feed_forward, c.width});
    layer.up = find(block + "up_proj.weight", {c.feed_forward, c.width});
    layer.down = find(block + "ff_out.weight", {c.width, c.feed_forward});
    t.layers.push_back(layer);
  }
  find.Finish();
  return t;
}

ModelFacts FactsOf(const Config& config, const LladaConfig& c, const ModelLimits& limits, int64_t parameters) {
  ModelFacts facts;
  facts.family = "llada";
  facts.vocabulary = static_cast<int32_t>(c.vocabulary);
  facts.hidden_size = static_cast<int32_t>(c.width);
  facts.layers = static_cast<int32_t>(c.layers);
  facts.max_positions = static_cast<int32_t>(c.max_positions);
  facts.mask_token_id = config.TokenOr("mask_token_id", c.vocabulary);
  facts.end_of_text_token_id = config.TokenOr("eos_token_id", c.vocabulary);
  facts.pad_token_id = config.TokenOr("pad_token_id", c.vocabulary);
  facts.attention = SFUMATO_ATTENTION_FULL;
  facts.key_value_cache = limits.approximate_cache;
  facts.parameters = parameters;
  return facts;
}

struct Layer {
  std::unique_ptr<Buffer> attention_norm;
  SelfAttention attention;
  std::unique_ptr<Buffer> feed_forward_norm;
  FeedForward feed_forward;
};

class Llada : public Model {
 public:
  Llada(Backend& backend, const LladaConfig& config, const Tensors& tensors, const ModelLimits& limits,
        ModelFacts facts)
      : Model(std::move(facts)),
        backend_(backend),
        config_(config),
        embedding_(backend.UploadTable(tensors.embedding)),
        norm_(UploadFloats(backend, tensors.norm)),
        head_(backend.Pack({tensors.head})),
        rope_(RopeTable::Build(backend, config.max_positions, config.attention.head_dim, config.rope_theta)),
        cache_(backend, config.layers, limits.max_pages, limits.page_tokens, config.attention),
        hidden_(backend.Allocate(limits.max_rows * config.width)),
        normed_(backend.Allocate(limits.max_rows * config.width)),
        selected_(backend.Allocate(limits.max_rows * config.width)),
        inner_(backend.Allocate(limits.max_rows * config.feed_forward)),
        attention_(AttentionWorkspace::Allocate(backend, limits.max_rows, config.attention)) {
    const float scale = 1.0f / std::sqrt(static_cast<float>(config.attention.head_dim));
    for (const LayerTensors& t : tensors.layers) {
      Layer layer;
      layer.attention_norm = UploadFloats(backend, t.attention_norm);
      layer.attention = {config.attention,
                         scale,
                         {backend.Pack({t.query}), nullptr},
                         {backend.Pack({t.key, t.value}), nullptr},
                         {backend.Pack({t.attention_output}), nullptr},
                         &rope_};
      layer.feed_forward_norm = UploadFloats(backend, t.feed_forward_norm);
      layer.feed_forward = {
          {backend.PackGated(t.gate, t.up), nullptr}, {backend.Pack({t.down}), nullptr}, Epilogue::kGatedSilu};
      layers_.push_back(std::move(layer));
    }
    backend.ReserveAttention(config.attention.head_dim);
    backend.ReserveCandidates(config.vocabulary, config.width);
  }

  const float* Forward(const StepLayout& layout) override {
    float* hidden = hidden_->data();
    float* normed = normed_->data();
    int64_t rows = layout.rows();
    backend_.Embed({embedding_.get(), layout.tokens.data(), rows, false, hidden});
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const KeyValuePages pages = cache_.Layer(static_cast<int64_t>(i));
      Norm(hidden, rows, *layer.attention_norm, normed);
      layer.attention.RunKeyValues(backend_, layout, normed, pages, attention_);
      // After the last layer only the selected rows matter.
      const bool selected_only = i + 1 == layers_.size() && !layout.all_selected();
      if (selected_only) {
        rows = layout.selected_rows();
        backend_.Gather({hidden, layout.selected.data(), rows, config_.width, selected_->data()});
        hidden = selected_->data();
        Norm(hidden, rows, *layer.attention_norm, normed);
      }
      layer.attention.RunQueries(backend_, layout, selected_only, normed, pages, attention_, hidden);
      Norm(hidden, rows, *layer.feed_forward_norm, normed);
      layer.feed_forward.Run(backend_, normed, rows, inner_->data(), hidden);
    }
    Norm(hidden, rows, *norm_, normed);
    return normed;
  }

  const PackedMatrix& head() const override { return *head_; }

 private:
  void Norm(const float* input, int64_t rows, const Buffer& weight, float* output) {
    backend_.RmsNorm({input, rows, config_.width, weight.data(), nullptr, config_.epsilon, output});
  }

  Backend& backend_;
  const LladaConfig config_;
  std::unique_ptr<EmbeddingTable> embedding_;
  std::unique_ptr<Buffer> norm_;
  std::unique_ptr<PackedMatrix> head_;
  RopeTable rope_;
  std::vector<Layer> layers_;
  KeyValueCache cache_;
  std::unique_ptr<Buffer> hidden_;    // [rows, width]
  std::unique_ptr<Buffer> normed_;    // [rows, width]
  std::unique_ptr<Buffer> selected_;  // [selected rows, width]
  std::unique_ptr<Buffer> inner_;     // [rows, feed_forward]
  AttentionWorkspace attention_;
};

}  // namespace

std::unique_ptr<Model> LoadLlada(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const LladaConfig config = ReadConfig(checkpoint.config());
  TensorFinder find(checkpoint);
  const Tensors tensors = FindTensors(find, config);
  return std::make_unique<Llada>(backend, config, tensors, limits,
                                 FactsOf(checkpoint.config(), config, limits, find.parameters()));
}

}  // namespace sfumato
