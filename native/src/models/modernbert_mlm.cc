#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "layers/feed_forward.h"
#include "layers/key_value_cache.h"
#include "layers/self_attention.h"
#include "models/decoder.h"
#include "models/families.h"
#include "models/model_sizes.h"

namespace sfumato {
namespace {

struct ModernBertConfig : ModelSizes {
  AttentionShape attention;
  int64_t feed_forward;
  /// Every so many layers, from the first, one sees all positions; the others see a window.
  int64_t global_every;
  int64_t window;
  double global_theta;
  double local_theta;
  float epsilon;

  bool IsGlobal(int64_t layer) const { return layer % global_every == 0; }
};

/// Reads the config and refuses what the graph below does not compute.
ModernBertConfig ReadConfig(const Config& config) {
  config.RequireText("hidden_activation", "gelu");
  config.RequireText("classifier_activation", "gelu");
  config.RequireBoolean("attention_bias", false);
  config.RequireBoolean("mlp_bias", false);
  config.RequireBoolean("norm_bias", false);
  config.RequireBoolean("classifier_bias", false);
  config.RequireBoolean("decoder_bias", true);
  config.RequireBoolean("tie_word_embeddings", true);
  ModernBertConfig c;
  ReadSizes(config, c);
  const int64_t heads = config.Integer("num_attention_heads", 1, 1024);
  c.attention = {heads, heads, c.width / heads};
  c.feed_forward = config.Integer("intermediate_size", 1, 1 << 18);
  c.global_every = config.Integer("global_attn_every_n_layers", 1, 1024);
  c.window = config.Integer("local_attention", 2, 1 << 20) / 2;
  c.global_theta = config.RealOr("global_rope_theta", 1, 1e12, 160000);
  c.local_theta = config.RealOr("local_rope_theta", 1, 1e12, 10000);
  c.epsilon = static_cast<float>(config.RealOr("norm_eps", 0, 1, 1e-5));
  if (c.width % heads != 0 || c.attention.head_dim % 2 != 0) {
    Fail(SFUMATO_DATA_LOSS, "config.json num_attention_heads", heads,
         "heads of an even size out of hidden_size " + std::to_string(c.width));
  }
  return c;
}

struct LayerTensors {
  TensorView attention_norm, query_key_value, attention_output, feed_forward_norm, gate_up, down;
};

struct Tensors {
  TensorView words, embedding_norm, final_norm, transform, transform_norm, head_bias;
  std::vector<LayerTensors> layers;
};

Tensors FindTensors(TensorFinder& find, const ModernBertConfig& c) {
  Tensors t;
  t.words = find("model.embeddings.tok_embeddings.weight", {c.vocabulary, c.width});
  t.embedding_norm = find("model.embeddings.norm.weight", {c.width});
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string layer = "model.layers." + std::to_string(i) + ".";
    LayerTensors l;
    // The first layer's input is normalized already.
    if (i > 0) l.attention_norm = find(layer + "attn_norm.weight", {c.width});
    l.query_key_value = find(layer + "attn.Wqkv.weight", {3 * c.width, c.width});
    l.attention_output = find(layer + "attn.Wo.weight", {c.width, c.width});
    l.feed_forward_norm = find(layer + "mlp_norm.weight", {c.width});
    l.gate_up = find(layer + "mlp.Wi.weight", {2 * c.feed_forward, c.width});
    l.down = find(layer + "mlp.Wo.weight", {c.width, c.feed_forward});
    t.layers.push_back(l);
  }
  t.final_norm = find("model.final_norm.weight", {c.width});
  t.transform = find("head.dense.weight", {c.width, c.width});
  t.transform_norm = find("head.norm.weight", {c.width});
  t.head_bias = find("decoder.bias", {c.vocabulary});
  find.Finish({"decoder.weight"});
  return t;
}

struct Layer {
  std::unique_ptr<Buffer> attention_norm;  // null for none
  SelfAttention attention;
  std::unique_ptr<Buffer> feed_forward_norm;
  FeedForward feed_forward;
};

class ModernBertMlm : public Model {
 public:
  ModernBertMlm(Backend& backend, const ModernBertConfig& config, const Tensors& tensors, const ModelLimits& limits,
                ModelFacts facts)
      : Model(std::move(facts)),
        backend_(backend),
        config_(config),
        words_(backend.UploadTable(tensors.words)),
        embedding_norm_(UploadFloats(backend, tensors.embedding_norm)),
        final_norm_(UploadFloats(backend, tensors.final_norm)),
        transform_{backend.Pack({tensors.transform}), nullptr},
        transform_norm_(UploadFloats(backend, tensors.transform_norm)),
        no_bias_(backend.Allocate(config.width)),
        head_{backend.PackHead(tensors.words), UploadFloats(backend, tensors.head_bias)},
        global_rope_(RopeTable::Build(backend, config.max_positions, config.attention.head_dim, config.global_theta)),
        local_rope_(RopeTable::Build(backend, config.max_positions, config.attention.head_dim, config.local_theta)),
        cache_(backend, config.layers, limits.max_pages, limits.page_tokens, config.attention),
        hidden_(backend.Allocate(limits.max_rows * config.width)),
        normed_(backend.AllocateOperand(limits.max_rows * config.width)),
        selected_(backend.Allocate(limits.max_rows * config.width)),
        inner_(backend.AllocateOperand(limits.max_rows * config.feed_forward)),
        attention_(AttentionWorkspace::Allocate(backend, limits.max_rows, config.attention)) {
    for (const LayerTensors& t : tensors.layers) {
      layers_.push_back(MakeLayer(t, config.IsGlobal(static_cast<int64_t>(layers_.size()))));
    }
    backend.ReserveAttention(config.attention.head_dim);
    backend.ReserveCandidates(config.vocabulary, config.width);
  }

  OperandView Forward(const StepLayout& layout) override {
    float* hidden = hidden_->data();
    const Operand normed = normed_->operand();
    int64_t rows = layout.rows();
    backend_.Embed({words_.get(), layout.tokens.data(), rows, false, hidden});
    Normalize(hidden, rows, *embedding_norm_, hidden);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const KeyValuePages pages = cache_.Layer(static_cast<int64_t>(i));
      layer.attention.RunKeyValues(backend_, layout, NormedInput(layer, hidden, rows), pages, attention_);
      // After the last layer only the selected rows matter.
      const bool selected_only = i + 1 == layers_.size() && !layout.all_selected();
      if (selected_only) {
        rows = layout.selected_rows();
        if (rows == 0) break;
        backend_.Gather({hidden, layout.selected.data(), rows, config_.width, selected_->data()});
        hidden = selected_->data();
      }
      layer.attention.RunQueries(backend_, layout, selected_only, NormedInput(layer, hidden, rows), pages, attention_,
                                 Epilogue::kAdd, hidden);
      Normalize(hidden, rows, *layer.feed_forward_norm, normed);
      layer.feed_forward.Run(backend_, normed, rows, inner_->operand(), hidden);
    }
    Normalize(hidden, rows, *final_norm_, normed);
    float* transformed = attention_.queries->data();
    transform_.Run(backend_, Part::kHead, normed, rows, Epilogue::kGelu, transformed);
    Normalize(transformed, rows, *transform_norm_, attention_.mixed->operand());
    return attention_.mixed->operand();
  }

  const PackedMatrix& head() const override { return *head_.weights; }
  const float* head_bias() const override { return head_.bias->data(); }

 private:
  Layer MakeLayer(const LayerTensors& t, bool global) {
    const int64_t width = config_.width;
    Layer layer;
    if (t.attention_norm.data != nullptr) layer.attention_norm = UploadFloats(backend_, t.attention_norm);
    layer.attention = {config_.attention,
                       1.0f / std::sqrt(static_cast<float>(config_.attention.head_dim)),
                       {backend_.Pack({RowsOf(t.query_key_value, 0, width)}), nullptr},
                       {backend_.Pack({RowsOf(t.query_key_value, width, 2 * width)}), nullptr},
                       {backend_.Pack({t.attention_output}), nullptr},
                       global ? &global_rope_ : &local_rope_};
    layer.attention.window = global ? 0 : config_.window;
    layer.feed_forward_norm = UploadFloats(backend_, t.feed_forward_norm);
    layer.feed_forward = {{backend_.PackGated(RowsOf(t.gate_up, 0, config_.feed_forward),
                                              RowsOf(t.gate_up, config_.feed_forward, config_.feed_forward)),
                           nullptr},
                          {backend_.Pack({t.down}), nullptr},
                          Epilogue::kGatedGelu};
    return layer;
  }

  OperandView NormedInput(const Layer& layer, const float* hidden, int64_t rows) {
    if (layer.attention_norm == nullptr) return hidden;
    Normalize(hidden, rows, *layer.attention_norm, normed_->operand());
    return normed_->operand();
  }

  void Normalize(const float* input, int64_t rows, const Buffer& weight, Operand output) {
    backend_.LayerNorm({input, rows, config_.width, weight.data(), no_bias_->data(), config_.epsilon, output});
  }

  Backend& backend_;
  const ModernBertConfig config_;
  std::unique_ptr<EmbeddingTable> words_;
  std::unique_ptr<Buffer> embedding_norm_;
  std::unique_ptr<Buffer> final_norm_;
  Linear transform_;
  std::unique_ptr<Buffer> transform_norm_;
  std::unique_ptr<Buffer> no_bias_;  // [width] zeros
  Linear head_;
  RopeTable global_rope_;
  RopeTable local_rope_;
  std::vector<Layer> layers_;
  KeyValueCache cache_;
  std::unique_ptr<Buffer> hidden_;    // [rows, width]
  std::unique_ptr<Buffer> normed_;    // [rows, width]
  std::unique_ptr<Buffer> selected_;  // [selected rows, width]
  std::unique_ptr<Buffer> inner_;     // [rows, feed_forward]
  AttentionWorkspace attention_;
};

}  // namespace

std::unique_ptr<Model> LoadModernBertMlm(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const ModernBertConfig config = ReadConfig(checkpoint.config());
  TensorFinder find(checkpoint);
  const Tensors tensors = FindTensors(find, config);
  return std::make_unique<ModernBertMlm>(backend, config, tensors, limits,
                                         FactsOf("modernbert_mlm", checkpoint.config(), config, find.parameters()));
}

}  // namespace sfumato
