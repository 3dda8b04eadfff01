#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/number_formats.h"
#include "layers/feed_forward.h"
#include "layers/key_value_cache.h"
#include "layers/mixture_of_experts.h"
#include "layers/self_attention.h"
#include "models/decoder.h"
#include "models/families.h"

namespace sfumato {
namespace {

struct GemmaLayerConfig {
  bool sliding;
  AttentionShape attention;
};

struct GemmaConfig : ModelSizes {
  int64_t feed_forward;
  int64_t expert_inner;
  int64_t canvas;
  int64_t sliding_window;
  double sliding_theta;
  double full_theta;
  double full_rotary_share;
  float epsilon;
  float logit_cap;
  RouterRules router;
  std::vector<GemmaLayerConfig> layer_configs;  // [layers]
};

/// Full layers have heads of their own, written in one of two forms: global_head_dim and num_global_key_value_heads, or
/// per_layer_config by the layer's number.
GemmaLayerConfig ReadLayer(const Config& text, int64_t layer, const std::string& type) {
  GemmaLayerConfig c = {};
  c.sliding = type == "sliding_attention";
  if (!c.sliding && type != "full_attention") {
    Fail(SFUMATO_UNIMPLEMENTED, "config.json text_config.layer_types[" + std::to_string(layer) + "]",
         type.substr(0, 100), "sliding_attention or full_attention");
  }
  c.attention.heads = text.Integer("num_attention_heads", 1, 1024);
  c.attention.kv_heads = text.Integer("num_key_value_heads", 1, c.attention.heads);
  c.attention.head_dim = text.Integer("head_dim", 2, 1 << 12);
  if (!c.sliding) {
    c.attention.kv_heads = text.IntegerOr("num_global_key_value_heads", 1, c.attention.heads, c.attention.kv_heads);
    c.attention.head_dim = text.IntegerOr("global_head_dim", 2, 1 << 12, c.attention.head_dim);
  }
  const std::string number = std::to_string(layer);
  if (text.Has("per_layer_config") && text.Section("per_layer_config").Has(number)) {
    const Config own = text.Section("per_layer_config").Section(number);
    c.attention.kv_heads = own.IntegerOr("num_key_value_heads", 1, c.attention.heads, c.attention.kv_heads);
    c.attention.head_dim = own.IntegerOr("head_dim", 2, 1 << 12, c.attention.head_dim);
  }
  if (c.attention.heads % c.attention.kv_heads != 0 || c.attention.head_dim % 2 != 0) {
    Fail(SFUMATO_DATA_LOSS, "config.json text_config layer " + number,
         std::to_string(c.attention.kv_heads) + " key-value heads of " + std::to_string(c.attention.head_dim),
         "a divisor of " + std::to_string(c.attention.heads) + " heads, of an even size");
  }
  return c;
}

/// Reads the config and refuses what the graph below does not compute.
GemmaConfig ReadConfig(const Config& config) {
  const Config text = config.Section("text_config");
  text.RequireText("hidden_activation", "gelu_pytorch_tanh");
  text.RequireBoolean("attention_bias", false);
  text.RequireBoolean("tie_word_embeddings", true);
  text.RequireText("use_bidirectional_attention", "vision");
  const Config rope = text.Section("rope_parameters");
  const Config full = rope.Section("full_attention");
  const Config sliding = rope.Section("sliding_attention");
  full.RequireText("rope_type", "proportional");
  sliding.RequireText("rope_type", "default");
  GemmaConfig c = {};
  ReadSizes(text, c);
  c.feed_forward = text.Integer("intermediate_size", 1, 1 << 18);
  c.expert_inner = text.Integer("moe_intermediate_size", 1, 1 << 18);
  c.canvas = config.Integer("canvas_length", 1, 1 << 16);
  c.sliding_window = text.Integer("sliding_window", 2, 1 << 20);
  c.full_theta = full.RealOr("rope_theta", 1, 1e12, 1e6);
  c.full_rotary_share = full.RealOr("partial_rotary_factor", 0, 1, 1);
  c.sliding_theta = sliding.RealOr("rope_theta", 1, 1e12, 1e4);
  c.epsilon = static_cast<float>(text.RealOr("rms_norm_eps", 0, 1, 1e-6));
  c.logit_cap = static_cast<float>(text.RealOr("final_logit_softcapping", 0, 1e6, 0));
  c.router.experts = text.Integer("num_experts", 1, kMaxExperts);
  c.router.chosen = text.Integer("top_k_experts", 1, c.router.experts);
  c.router.normalized = true;
  const std::vector<std::string> types = text.Texts("layer_types", c.layers);
  for (int64_t i = 0; i < c.layers; ++i) c.layer_configs.push_back(ReadLayer(text, i, types[static_cast<size_t>(i)]));
  return c;
}

struct GemmaLayerTensors {
  TensorView input_norm, post_attention_norm, query, key, value, attention_output, query_norm, key_norm;
  TensorView pre_dense_norm, post_dense_norm, pre_expert_norm, post_expert_norm, post_norm;
  // All that encoder and decoder do not share.
  TensorView encoder_scalar, canvas_scalar;
  GatedTensors dense;
  TensorView router, router_scale, expert_scale, gate_up, down;
};

struct GemmaTensors {
  TensorView embedding, norm, conditioning_norm;
  GatedTensors conditioning;
  std::vector<GemmaLayerTensors> layers;
};

GemmaLayerTensors FindLayer(TensorFinder& find, const GemmaConfig& c, int64_t index) {
  const GemmaLayerConfig& layer = c.layer_configs[static_cast<size_t>(index)];
  const std::string root = "model.decoder.layers." + std::to_string(index) + ".";
  const std::string attention = root + "self_attn.";
  const int64_t query_width = layer.attention.heads * layer.attention.head_dim;
  const int64_t kv_width = layer.attention.kv_heads * layer.attention.head_dim;
  const int64_t experts = c.router.experts;
  const auto norm = [&](const std::string& name) { return find(root + name + ".weight", {c.width}); };
  GemmaLayerTensors t;
  t.input_norm = norm("input_layernorm");
  t.post_attention_norm = norm("post_attention_layernorm");
  t.query = find(attention + "q_proj.weight", {query_width, c.width});
  t.key = find(attention + "k_proj.weight", {kv_width, c.width});
  // Full layers take the keys before their norm for values.
  t.value = layer.sliding ? find(attention + "v_proj.weight", {kv_width, c.width}) : t.key;
  t.attention_output = find(attention + "o_proj.weight", {c.width, query_width});
  t.query_norm = find(attention + "q_norm.weight", {layer.attention.head_dim});
  t.key_norm = find(attention + "k_norm.weight", {layer.attention.head_dim});
  t.pre_dense_norm = norm("pre_feedforward_layernorm");
  t.post_dense_norm = norm("post_feedforward_layernorm_1");
  t.pre_expert_norm = norm("pre_feedforward_layernorm_2");
  t.post_expert_norm = norm("post_feedforward_layernorm_2");
  t.post_norm = norm("post_feedforward_layernorm");
  t.dense = FindGated(find, root + "mlp.", c.feed_forward, c.width);
  t.router = find(root + "router.proj.weight", {experts, c.width});
  t.router_scale = find(root + "router.scale", {c.width});
  t.expert_scale = find(root + "router.per_expert_scale", {experts});
  t.gate_up = find(root + "experts.gate_up_proj", {experts, 2 * c.expert_inner, c.width});
  t.down = find(root + "experts.down_proj", {experts, c.width, c.expert_inner});
  t.canvas_scalar = find(root + "layer_scalar", {1});
  return t;
}

float ReadScalar(const TensorView& tensor) {
  float value = 0;
  ReadFloats(tensor, 0, 1, &value);
  return value;
}

GemmaTensors FindTensors(TensorFinder& find, const GemmaConfig& c) {
  GemmaTensors t;
  t.embedding = find("model.decoder.embed_tokens.weight", {c.vocabulary, c.width});
  t.norm = find("model.decoder.norm.weight", {c.width});
  const std::string conditioning = "model.decoder.self_conditioning.";
  t.conditioning_norm = find(conditioning + "pre_norm.weight", {c.width});
  t.conditioning = FindGated(find, conditioning, c.feed_forward, c.width);
  for (int64_t i = 0; i < c.layers; ++i) {
    t.layers.push_back(FindLayer(find, c, i));
    t.layers.back().encoder_scalar =
        find("model.encoder.language_model.layers." + std::to_string(i) + ".layer_scalar", {1});
  }
  find.Finish({"model.encoder.vision_tower.", "model.encoder.embed_vision."});
  return t;
}

/// The matrix of one expert out of a stack.
TensorView ExpertOf(const TensorView& stack, int64_t expert) {
  const int64_t rows = stack.shape[1];
  const int64_t width = stack.shape[2];
  return {stack.type, {rows, width}, stack.data + expert * rows * width * BytesPerNumber(stack.type)};
}

ModelFacts GemmaFacts(const Config& config, const GemmaConfig& c, int64_t parameters) {
  ModelFacts facts = FactsOf("diffusion_gemma", config.Section("text_config"), c, parameters);
  facts.mask_token_id = -1;  // canvases are uniform noise
  facts.attention = SFUMATO_ATTENTION_ENCODER_CANVAS;
  facts.key_value_cache = true;
  facts.self_conditioning = true;
  facts.block_length = static_cast<int32_t>(c.canvas);
  return facts;
}

struct Layer {
  std::unique_ptr<Buffer> input_norm;
  SelfAttention attention;
  KeyValueCache cache;
  std::unique_ptr<Buffer> post_attention_norm, pre_dense_norm, post_dense_norm, pre_expert_norm, post_expert_norm;
  std::unique_ptr<Buffer> post_norm;
  FeedForward dense;
  std::unique_ptr<Buffer> router_norm;  // [width] router.scale / sqrt(width)
  MixtureOfExperts mixture;
  float encoder_scalar = 1;
  float canvas_scalar = 1;
};

class DiffusionGemma : public Model {
 public:
  DiffusionGemma(Backend& backend, const GemmaConfig& config, const GemmaTensors& tensors, const ModelLimits& limits,
                 ModelFacts facts)
      : Model(std::move(facts)),
        backend_(backend),
        config_(config),
        embedding_scale_(EmbeddingScale(tensors.embedding.type)),
        embedding_(backend.UploadTable(tensors.embedding)),
        norm_(UploadFloats(backend, tensors.norm)),
        ones_(backend.Upload(std::vector<float>(static_cast<size_t>(config.width), 1.0f))),
        head_(backend.PackExact(tensors.embedding)),
        conditioning_norm_(UploadFloats(backend, tensors.conditioning_norm)),
        conditioning_(PackGelu(tensors.conditioning)),
        full_rope_(MakeRope(false)),
        sliding_rope_(MakeRope(true)),
        hidden_(backend.Allocate(limits.max_rows * config.width)),
        normed_(backend.AllocateOperand(limits.max_rows * config.width)),
        branch_(backend.Allocate(limits.max_rows * config.width)),
        expert_input_(backend.AllocateOperand(limits.max_rows * config.width)),
        expert_branch_(backend.Allocate(limits.max_rows * config.width)),
        selected_(backend.Allocate(limits.max_rows * config.width)),
        inner_(backend.AllocateOperand(limits.max_rows * config.feed_forward)),
        attention_(AttentionWorkspace::Allocate(backend, limits.max_rows, LargestAttention())),
        experts_(ExpertWorkspace::Allocate(backend, limits.max_rows, config.router, config.width, config.expert_inner)),
        soft_(backend.Allocate(limits.max_slots * config.canvas * config.width)),
        conditioned_(static_cast<size_t>(limits.max_slots), uint8_t{0}) {
    for (size_t i = 0; i < tensors.layers.size(); ++i)
      layers_.push_back(MakeLayer(config.layer_configs[i], tensors.layers[i], limits));
    backend.ReserveAttention(LargestAttention().head_dim);
    backend.ReserveCandidates(config.vocabulary, config.width);
    backend.ReserveSoftEmbeddings(config.width);
  }

  OperandView Forward(const StepLayout& layout) override {
    float* hidden = hidden_->data();
    const Operand normed = normed_->operand();
    float* branch = branch_->data();
    int64_t rows = layout.rows();
    backend_.Embed({embedding_.get(), layout.tokens.data(), rows, false, hidden});
    backend_.Scale({hidden, rows, config_.width, embedding_scale_});
    for (size_t i = 0; i < layout.sequences.size(); ++i) Condition(layout, i, hidden);
    Norm(hidden, rows, *layers_.front().input_norm, normed);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const KeyValuePages pages = layer.cache.Layer(0);
      layer.attention.RunKeyValues(backend_, layout, normed, pages, attention_);
      // After the last layer only the selected rows matter.
      const bool selected_only = i + 1 == layers_.size() && !layout.all_selected();
      if (selected_only) {
        rows = layout.selected_rows();
        if (rows == 0) break;
        backend_.Gather({hidden, layout.selected.data(), rows, config_.width, selected_->data()});
        hidden = selected_->data();
        Norm(hidden, rows, *layer.input_norm, normed);
      }
      layer.attention.RunQueries(backend_, layout, selected_only, normed, pages, attention_, Epilogue::kStore, branch);
      FeedForwardBranches(layer, rows, hidden);
      AddFeedForward(layer, layout, selected_only, i + 1 == layers_.size() ? *norm_ : *layers_[i + 1].input_norm,
                     hidden);
    }
    return normed;
  }

  const PackedMatrix& head() const override { return *head_; }
  float logit_cap() const override { return config_.logit_cap; }
  SoftEmbeddings soft_embeddings() override { return {soft_->data(), config_.canvas, embedding_scale_}; }

  void CopyState(int32_t from_slot, int32_t to_slot) override {
    const int64_t size = config_.canvas * config_.width;
    if (from_slot != to_slot) backend_.Copy(Soft(from_slot), size, Soft(to_slot));
    conditioned_[static_cast<size_t>(to_slot)] = conditioned_[static_cast<size_t>(from_slot)];
  }

  void ResetSlot(int32_t slot) override { conditioned_[static_cast<size_t>(slot)] = 0; }

 private:
  /// The square root of the width, as a number of the checkpoint's format.
  float EmbeddingScale(DataType type) const {
    const float scale = std::sqrt(static_cast<float>(config_.width));
    return type == DataType::kBfloat16 ? FromBfloat16(ToBfloat16(scale)) : scale;
  }

  AttentionShape LargestAttention() const {
    AttentionShape largest = {1, 1, 1};
    for (const GemmaLayerConfig& layer : config_.layer_configs) {
      const AttentionShape& shape = layer.attention;
      largest.head_dim = std::max(largest.head_dim, shape.head_dim);
      largest.heads = std::max(largest.heads, shape.heads);
      largest.kv_heads = std::max(largest.kv_heads, shape.kv_heads);
    }
    return largest;
  }

  RopeTable MakeRope(bool sliding) {
    for (const GemmaLayerConfig& layer : config_.layer_configs) {
      const int64_t size = layer.attention.head_dim;
      if (layer.sliding != sliding) continue;
      if (sliding) return RopeTable::Build(backend_, config_.max_positions, size, config_.sliding_theta);
      const auto rotated = static_cast<int64_t>(config_.full_rotary_share * static_cast<double>(size) / 2);
      return RopeTable::Build(backend_, config_.max_positions, size, config_.full_theta, rotated);
    }
    return {};
  }

  FeedForward PackGelu(const GatedTensors& t) {
    return {{backend_.PackGated(t.gate, t.up), nullptr}, {backend_.Pack({t.down}), nullptr}, Epilogue::kGatedGeluTanh};
  }

  Layer MakeLayer(const GemmaLayerConfig& c, const GemmaLayerTensors& t, const ModelLimits& limits) {
    Layer layer;
    layer.input_norm = UploadFloats(backend_, t.input_norm);
    // The norms of queries and keys carry the scale.
    layer.attention = {c.attention,
                       1.0f,
                       {backend_.Pack({t.query}), nullptr},
                       {backend_.Pack({t.key, t.value}), nullptr},
                       {backend_.Pack({t.attention_output}), nullptr},
                       c.sliding ? &sliding_rope_ : &full_rope_,
                       UploadFloats(backend_, t.query_norm),
                       UploadFloats(backend_, t.key_norm),
                       config_.epsilon};
    layer.attention.value_norm = backend_.Upload(std::vector<float>(static_cast<size_t>(c.attention.head_dim), 1.0f));
    layer.attention.context_window = c.sliding ? config_.sliding_window - 1 : 0;
    layer.cache = KeyValueCache(backend_, 1, limits.max_pages, limits.page_tokens, c.attention);
    layer.post_attention_norm = UploadFloats(backend_, t.post_attention_norm);
    layer.pre_dense_norm = UploadFloats(backend_, t.pre_dense_norm);
    layer.post_dense_norm = UploadFloats(backend_, t.post_dense_norm);
    layer.pre_expert_norm = UploadFloats(backend_, t.pre_expert_norm);
    layer.post_expert_norm = UploadFloats(backend_, t.post_expert_norm);
    layer.post_norm = UploadFloats(backend_, t.post_norm);
    layer.dense = PackGelu(t.dense);
    layer.mixture = MakeMixture(t, layer);
    layer.encoder_scalar = ReadScalar(t.encoder_scalar);
    layer.canvas_scalar = ReadScalar(t.canvas_scalar);
    return layer;
  }

  MixtureOfExperts MakeMixture(const GemmaLayerTensors& t, Layer& layer) {
    std::vector<float> router_norm(static_cast<size_t>(config_.width));
    ReadFloats(t.router_scale, 0, config_.width, router_norm.data());
    const float scale = 1.0f / std::sqrt(static_cast<float>(config_.width));
    for (float& weight : router_norm) weight *= scale;
    layer.router_norm = backend_.Upload(router_norm);
    MixtureOfExperts mixture;
    mixture.rules = config_.router;
    mixture.expert_scale = UploadFloats(backend_, t.expert_scale);
    mixture.rules.expert_scale = mixture.expert_scale->data();
    mixture.router = {backend_.PackExact(t.router), nullptr};
    for (int64_t e = 0; e < config_.router.experts; ++e) {
      const TensorView gate_up = ExpertOf(t.gate_up, e);
      mixture.experts.push_back({{backend_.PackGatedExpert(RowsOf(gate_up, 0, config_.expert_inner),
                                                           RowsOf(gate_up, config_.expert_inner, config_.expert_inner)),
                                  nullptr},
                                 {backend_.PackExpert(ExpertOf(t.down, e)), nullptr},
                                 Epilogue::kGatedGeluTanh});
    }
    mixture.GroupExperts(backend_);
    return mixture;
  }

  float* Soft(int32_t slot) { return soft_->data() + slot * config_.canvas * config_.width; }

  /// Adds to a canvas's embeddings what its last step predicted, and norms them; the encoder's stay as they are.
  void Condition(const StepLayout& layout, size_t index, float* hidden) {
    const Sequence& sequence = layout.sequences[index];
    if (!IsCanvas(sequence)) return;
    float* canvas = hidden + sequence.first_row * config_.width;
    uint8_t& conditioned = conditioned_[static_cast<size_t>(sequence.slot)];
    ConditionOnOwnTokens(layout, sequence, canvas);
    if (layout.rules[index].step > 1 && conditioned != 0) {
      Norm(Soft(sequence.slot), sequence.rows, *conditioning_norm_, normed_->operand());
      conditioning_.Run(backend_, normed_->operand(), sequence.rows, inner_->operand(), canvas);
    }
    Norm(canvas, sequence.rows, *ones_, canvas);
    conditioned = 1;
  }

  /// Rows without a candidate hold what a client has pinned: no doubt about them, in the next step neither.
  void ConditionOnOwnTokens(const StepLayout& layout, const Sequence& sequence, const float* canvas) {
    const int32_t* selected = layout.selected.data() + sequence.first_selected;
    const int32_t* end = selected + sequence.selected;
    for (int64_t row = 0; row < sequence.rows; ++row) {
      if (selected != end && *selected == sequence.first_row + row) {
        ++selected;
        continue;
      }
      backend_.Copy(canvas + row * config_.width, config_.width, Soft(sequence.slot) + row * config_.width);
    }
  }

  /// Adds attention's branch to the residual, and runs both feed-forward branches.
  void FeedForwardBranches(const Layer& layer, int64_t rows, float* hidden) {
    const Operand normed = normed_->operand();
    const Operand expert_input = expert_input_->operand();
    float* branch = branch_->data();
    float* expert_branch = expert_branch_->data();  // the router's input at first
    backend_.AddBranches({rows,
                          config_.width,
                          config_.epsilon,
                          {{branch, layer.post_attention_norm->data()}, {}},
                          nullptr,
                          1,
                          hidden,
                          {{layer.pre_dense_norm->data(), normed},
                           {layer.router_norm->data(), expert_branch},
                           {layer.pre_expert_norm->data(), expert_input}}});
    layer.dense.RunInto(backend_, normed, rows, inner_->operand(), branch);
    layer.mixture.Run(backend_, expert_branch, expert_input, rows, experts_, false, expert_branch);
  }

  /// Adds post_norm(post_dense_norm(dense) + post_expert_norm(experts)) to the residual, times the layer's scalar of the
  /// encoder or of the canvas, and norms it for the next layer or the head.
  void AddFeedForward(const Layer& layer, const StepLayout& layout, bool selected_only, const Buffer& next_norm,
                      float* hidden) {
    for (const Sequence& sequence : layout.sequences) {
      const int64_t first = (selected_only ? sequence.first_selected : sequence.first_row) * config_.width;
      backend_.AddBranches({selected_only ? sequence.selected : sequence.rows,
                            config_.width,
                            config_.epsilon,
                            {{branch_->data() + first, layer.post_dense_norm->data()},
                             {expert_branch_->data() + first, layer.post_expert_norm->data()}},
                            layer.post_norm->data(),
                            IsCanvas(sequence) ? layer.canvas_scalar : layer.encoder_scalar,
                            hidden + first,
                            {{next_norm.data(), normed_->operand().From(first)}, {}, {}}});
    }
  }

  static bool IsCanvas(const Sequence& sequence) { return sequence.block_length == 0; }

  void Norm(const float* input, int64_t rows, const Buffer& weight, Operand output) {
    backend_.RmsNorm({input, rows, config_.width, weight.data(), nullptr, config_.epsilon, output});
  }

  Backend& backend_;
  const GemmaConfig config_;
  const float embedding_scale_;
  std::unique_ptr<EmbeddingTable> embedding_;
  std::unique_ptr<Buffer> norm_;
  std::unique_ptr<Buffer> ones_;  // [width]
  std::unique_ptr<PackedMatrix> head_;
  std::unique_ptr<Buffer> conditioning_norm_;
  FeedForward conditioning_;
  RopeTable full_rope_;
  RopeTable sliding_rope_;
  std::vector<Layer> layers_;
  std::unique_ptr<Buffer> hidden_;         // [rows, width]
  std::unique_ptr<Buffer> normed_;         // [rows, width]
  std::unique_ptr<Buffer> branch_;         // [rows, width]
  std::unique_ptr<Buffer> expert_input_;   // [rows, width]
  std::unique_ptr<Buffer> expert_branch_;  // [rows, width]
  std::unique_ptr<Buffer> selected_;       // [selected rows, width]
  std::unique_ptr<Buffer> inner_;          // [rows, feed_forward]
  AttentionWorkspace attention_;
  ExpertWorkspace experts_;
  std::unique_ptr<Buffer> soft_;      // [slots, canvas, width]
  std::vector<uint8_t> conditioned_;  // [slots] whether soft_ holds what the last step predicted
};

}  // namespace

std::unique_ptr<Model> LoadDiffusionGemma(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const GemmaConfig config = ReadConfig(checkpoint.config());
  TensorFinder find(checkpoint);
  const GemmaTensors tensors = FindTensors(find, config);
  return std::make_unique<DiffusionGemma>(backend, config, tensors, limits,
                                          GemmaFacts(checkpoint.config(), config, find.parameters()));
}

}  // namespace sfumato
