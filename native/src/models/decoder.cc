#include "models/decoder.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "layers/feed_forward.h"
#include "layers/key_value_cache.h"
#include "layers/mixture_of_experts.h"
#include "layers/self_attention.h"

namespace sfumato {
namespace {

struct Layer {
  std::unique_ptr<Buffer> attention_norm;
  SelfAttention attention;
  std::unique_ptr<Buffer> feed_forward_norm;
  std::optional<FeedForward> dense;
  std::optional<MixtureOfExperts> mixture;
};

std::unique_ptr<Buffer> UploadIfThere(Backend& backend, const TensorView& tensor) {
  return tensor.data == nullptr ? nullptr : UploadFloats(backend, tensor);
}

FeedForward Pack(Backend& backend, const GatedTensors& t) {
  return {{backend.PackGated(t.gate, t.up), nullptr}, {backend.Pack({t.down}), nullptr}, Epilogue::kGatedSilu};
}

FeedForward PackExpert(Backend& backend, const GatedTensors& t) {
  return {
      {backend.PackGatedExpert(t.gate, t.up), nullptr}, {backend.PackExpert(t.down), nullptr}, Epilogue::kGatedSilu};
}

/// The table of keys, or of queries, which may be scaled by their position.
RopeTable BuildRope(Backend& backend, const DecoderConfig& config, bool queries) {
  const std::vector<float> frequencies = config.yarn
                                             ? YarnFrequencies(config.rotary_dim, config.rope_theta, *config.yarn)
                                             : RotaryFrequencies(config.rotary_dim, config.rope_theta);
  const float factor = config.yarn ? config.yarn->attention_factor : 1.0f;
  return RopeTable::Build(backend, config.max_positions, frequencies, [&](int64_t position) {
    return queries ? factor * config.query_scaling.At(position) : factor;
  });
}

/// The widest feed-forward layer of those that pick chooses among a layer's.
template <class Pick>
int64_t WidestInner(const DecoderTensors& tensors, const Pick& pick) {
  int64_t widest = 0;
  for (const DecoderLayerTensors& layer : tensors.layers) {
    const GatedTensors* gated = pick(layer);
    if (gated != nullptr) widest = std::max(widest, gated->gate.shape[0]);
  }
  return widest;
}

class Decoder : public Model {
 public:
  Decoder(Backend& backend, const DecoderConfig& config, const DecoderTensors& tensors, const ModelLimits& limits,
          ModelFacts facts)
      : Model(std::move(facts)),
        backend_(backend),
        config_(config),
        embedding_(backend.UploadTable(tensors.embedding)),
        norm_(UploadFloats(backend, tensors.norm)),
        head_(backend.PackHead(tensors.head)),
        rope_(BuildRope(backend, config, false)),
        query_rope_(config.query_scaling.beta == 0 ? RopeTable{} : BuildRope(backend, config, true)),
        cache_(backend, config.layers, limits.max_pages, limits.page_tokens, config.attention),
        hidden_(backend.Allocate(limits.max_rows * config.width)),
        normed_(backend.AllocateOperand(limits.max_rows * config.width)),
        selected_(backend.Allocate(limits.max_rows * config.width)),
        inner_(backend.AllocateOperand(limits.max_rows * WidestInner(tensors,
                                                                     [](const DecoderLayerTensors& layer) {
                                                                       return layer.dense ? &*layer.dense : nullptr;
                                                                     }))),
        attention_(AttentionWorkspace::Allocate(backend, limits.max_rows, config.attention)) {
    for (const DecoderLayerTensors& t : tensors.layers) layers_.push_back(MakeLayer(t));
    const int64_t expert_inner = WidestInner(
        tensors, [](const DecoderLayerTensors& layer) { return layer.experts.empty() ? nullptr : &layer.experts[0]; });
    if (expert_inner > 0) {
      experts_ = ExpertWorkspace::Allocate(backend, limits.max_rows, config.router, config.width, expert_inner);
      if (normed_->rounded()) router_input_ = backend.Allocate(limits.max_rows * config.width);
    }
    backend.ReserveAttention(config.attention.head_dim);
    backend.ReserveCandidates(config.vocabulary, config.width);
  }

  OperandView Forward(const StepLayout& layout) override {
    float* hidden = hidden_->data();
    const Operand normed = normed_->operand();
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
        if (rows == 0) break;
        backend_.Gather({hidden, layout.selected.data(), rows, config_.width, selected_->data()});
        hidden = selected_->data();
        Norm(hidden, rows, *layer.attention_norm, normed);
      }
      layer.attention.RunQueries(backend_, layout, selected_only, normed, pages, attention_, Epilogue::kAdd, hidden);
      // A router reads what is not rounded.
      float* router_input = layer.mixture && router_input_ != nullptr ? router_input_->data() : nullptr;
      Norm(hidden, rows, *layer.feed_forward_norm, normed, router_input);
      if (layer.mixture) {
        layer.mixture->Run(backend_, router_input == nullptr ? normed.floats : router_input, normed, rows, experts_,
                           true, hidden);
      }
      if (layer.dense) layer.dense->Run(backend_, normed, rows, inner_->operand(), hidden);
    }
    Norm(hidden, rows, *norm_, normed);
    return normed;
  }

  const PackedMatrix& head() const override { return *head_; }

 private:
  Layer MakeLayer(const DecoderLayerTensors& t) {
    const float scale = 1.0f / std::sqrt(static_cast<float>(config_.attention.head_dim));
    Layer layer;
    layer.attention_norm = UploadFloats(backend_, t.attention_norm);
    layer.attention = {config_.attention,
                       scale,
                       {backend_.Pack({t.query}), UploadIfThere(backend_, t.query_bias)},
                       {backend_.Pack({t.key, t.value}), nullptr},
                       {backend_.Pack({t.attention_output}), nullptr},
                       &rope_,
                       UploadIfThere(backend_, t.query_norm),
                       UploadIfThere(backend_, t.key_norm),
                       config_.epsilon};
    if (config_.query_scaling.beta != 0) layer.attention.query_rope = &query_rope_;
    if (t.key_bias.data != nullptr) layer.attention.key_value.bias = UploadFloats(backend_, {t.key_bias, t.value_bias});
    layer.feed_forward_norm = UploadFloats(backend_, t.feed_forward_norm);
    if (t.dense) layer.dense = Pack(backend_, *t.dense);
    if (!t.experts.empty()) layer.mixture = MakeMixture(t);
    return layer;
  }

  MixtureOfExperts MakeMixture(const DecoderLayerTensors& t) {
    MixtureOfExperts mixture;
    mixture.rules = config_.router;
    mixture.router = {backend_.PackExact(t.router), nullptr};
    mixture.bias = UploadIfThere(backend_, t.router_bias);
    mixture.rules.bias = mixture.bias == nullptr ? nullptr : mixture.bias->data();
    for (const GatedTensors& expert : t.experts) mixture.experts.push_back(PackExpert(backend_, expert));
    mixture.GroupExperts(backend_);
    return mixture;
  }

  void Norm(const float* input, int64_t rows, const Buffer& weight, Operand output, float* exact = nullptr) {
    backend_.RmsNorm({input, rows, config_.width, weight.data(), nullptr, config_.epsilon, output, exact});
  }

  Backend& backend_;
  const DecoderConfig config_;
  std::unique_ptr<EmbeddingTable> embedding_;
  std::unique_ptr<Buffer> norm_;
  std::unique_ptr<PackedMatrix> head_;
  RopeTable rope_;
  RopeTable query_rope_;
  std::vector<Layer> layers_;
  KeyValueCache cache_;
  std::unique_ptr<Buffer> hidden_;        // [rows, width]
  std::unique_ptr<Buffer> normed_;        // [rows, width]
  std::unique_ptr<Buffer> selected_;      // [selected rows, width]
  std::unique_ptr<Buffer> inner_;         // [rows, feed_forward]
  std::unique_ptr<Buffer> router_input_;  // [rows, width] where normed_ is rounded and there are experts
  AttentionWorkspace attention_;
  ExpertWorkspace experts_;
};

}  // namespace

std::unique_ptr<Model> MakeDecoder(Backend& backend, const DecoderConfig& config, const DecoderTensors& tensors,
                                   const ModelLimits& limits, ModelFacts facts) {
  return std::make_unique<Decoder>(backend, config, tensors, limits, std::move(facts));
}

DecoderConfig ReadDecoderSizes(const Config& config) {
  DecoderConfig c;
  ReadSizes(config, c);
  c.attention.heads = config.Integer("num_attention_heads", 1, 1024);
  c.attention.kv_heads = config.IntegerOr("num_key_value_heads", 1, c.attention.heads, c.attention.heads);
  c.attention.head_dim = c.width % c.attention.heads == 0 ? c.width / c.attention.heads : 0;
  return c;
}

void CheckHeads(const DecoderConfig& config, const char* heads_field, const char* kv_heads_field) {
  const AttentionShape& shape = config.attention;
  if (shape.head_dim == 0 || config.rotary_dim == 0 || config.rotary_dim % 2 != 0 ||
      config.rotary_dim > shape.head_dim) {
    Fail(SFUMATO_DATA_LOSS, std::string("config.json ") + heads_field, shape.heads,
         "heads of an even size out of width " + std::to_string(config.width));
  }
  if (shape.heads % shape.kv_heads != 0) {
    Fail(SFUMATO_DATA_LOSS, std::string("config.json ") + kv_heads_field, shape.kv_heads,
         std::string("a divisor of ") + heads_field + " " + std::to_string(shape.heads));
  }
}

DecoderLayerTensors FindLayer(TensorFinder& find, const std::string& root, const DecoderConfig& config) {
  const std::string attention = root + "self_attn.";
  DecoderLayerTensors layer;
  layer.attention_norm = find(root + "input_layernorm.weight", {config.width});
  layer.query = find(attention + "q_proj.weight", {config.query_width(), config.width});
  layer.key = find(attention + "k_proj.weight", {config.kv_width(), config.width});
  layer.value = find(attention + "v_proj.weight", {config.kv_width(), config.width});
  layer.attention_output = find(attention + "o_proj.weight", {config.width, config.query_width()});
  layer.feed_forward_norm = find(root + "post_attention_layernorm.weight", {config.width});
  return layer;
}

GatedTensors FindGated(TensorFinder& find, const std::string& root, int64_t inner, int64_t width) {
  return {find(root + "gate_proj.weight", {inner, width}), find(root + "up_proj.weight", {inner, width}),
          find(root + "down_proj.weight", {width, inner})};
}

std::vector<GatedTensors> FindExperts(TensorFinder& find, const std::string& root, int64_t count, int64_t inner,
                                      int64_t width) {
  std::vector<GatedTensors> experts;
  for (int64_t e = 0; e < count; ++e) experts.push_back(FindGated(find, root + std::to_string(e) + ".", inner, width));
  return experts;
}

TensorView RowsOf(const TensorView& matrix, int64_t first, int64_t count) {
  if (matrix.data == nullptr) return {};
  const int64_t width = matrix.shape[1];
  return {matrix.type, {count, width}, matrix.data + first * width * BytesPerNumber(matrix.type)};
}

}  // namespace sfumato
