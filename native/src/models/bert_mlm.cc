#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "layers/feed_forward.h"
#include "layers/key_value_cache.h"
#include "layers/self_attention.h"
#include "models/families.h"
#include "models/model_sizes.h"
#include "models/tensor_finder.h"

namespace sfumato {
namespace {

struct BertConfig : ModelSizes {
  AttentionShape attention;
  int64_t feed_forward;
  int64_t token_types;
  float epsilon;
};

/// Reads the config and refuses what the graph below does not compute.
BertConfig ReadConfig(const Config& config) {
  config.RequireText("hidden_act", "gelu");
  config.RequireText("position_embedding_type", "absolute");
  config.RequireBoolean("is_decoder", false);
  config.RequireBoolean("tie_word_embeddings", true);
  BertConfig c;
  ReadSizes(config, c);
  const int64_t heads = config.Integer("num_attention_heads", 1, 1024);
  c.attention = {heads, heads, c.width / heads};
  c.feed_forward = config.Integer("intermediate_size", 1, 1 << 18);
  c.token_types = config.IntegerOr("type_vocab_size", 1, 1 << 16, 2);
  c.epsilon = static_cast<float>(config.RealOr("layer_norm_eps", 0, 1, 1e-12));
  if (c.width % heads != 0)
    Fail(SFUMATO_DATA_LOSS, "config.json num_attention_heads", heads,
         "a part of hidden_size " + std::to_string(c.width));
  return c;
}

struct Affine {
  TensorView weight, bias;
};

struct LayerTensors {
  Affine query, key, value, attention_output, attention_norm, up, down, output_norm;
};

struct Tensors {
  TensorView words, positions, token_types, head_bias;
  Affine embedding_norm, transform, transform_norm;
  std::vector<LayerTensors> layers;
};

Tensors FindTensors(TensorFinder& find, const BertConfig& c) {
  const auto dense = [&find](const std::string& name, int64_t outputs, int64_t inputs) {
    return Affine{find(name + ".weight", {outputs, inputs}), find(name + ".bias", {outputs})};
  };
  const auto norm = [&find, &c](const std::string& name) {
    return Affine{find(name + ".weight", {c.width}), find(name + ".bias", {c.width})};
  };
  Tensors t;
  t.words = find("bert.embeddings.word_embeddings.weight", {c.vocabulary, c.width});
  t.positions = find("bert.embeddings.position_embeddings.weight", {c.max_positions, c.width});
  t.token_types = find("bert.embeddings.token_type_embeddings.weight", {c.token_types, c.width});
  t.embedding_norm = norm("bert.embeddings.LayerNorm");
  for (int64_t i = 0; i < c.layers; ++i) {
    const std::string layer = "bert.encoder.layer." + std::to_string(i) + ".";
    LayerTensors l;
    l.query = dense(layer + "attention.self.query", c.width, c.width);
    l.key = dense(layer + "attention.self.key", c.width, c.width);
    l.value = dense(layer + "attention.self.value", c.width, c.width);
    l.attention_output = dense(layer + "attention.output.dense", c.width, c.width);
    l.attention_norm = norm(layer + "attention.output.LayerNorm");
    l.up = dense(layer + "intermediate.dense", c.feed_forward, c.width);
    l.down = dense(layer + "output.dense", c.width, c.feed_forward);
    l.output_norm = norm(layer + "output.LayerNorm");
    t.layers.push_back(l);
  }
  t.transform = dense("cls.predictions.transform.dense", c.width, c.width);
  t.transform_norm = norm("cls.predictions.transform.LayerNorm");
  t.head_bias = find("cls.predictions.bias", {c.vocabulary});
  find.Finish({"bert.pooler.", "bert.embeddings.position_ids", "cls.seq_relationship.", "cls.predictions.decoder."});
  return t;
}

struct Norm {
  std::unique_ptr<Buffer> weight;
  std::unique_ptr<Buffer> bias;

  static Norm Upload(Backend& backend, const Affine& tensors) {
    return {UploadFloats(backend, tensors.weight), UploadFloats(backend, tensors.bias)};
  }
};

Linear PackLinear(Backend& backend, const Affine& tensors) {
  return {backend.Pack({tensors.weight}), UploadFloats(backend, tensors.bias)};
}

struct Layer {
  SelfAttention attention;
  Norm attention_norm;
  FeedForward feed_forward;
  Norm output_norm;
};

class BertMlm : public Model {
 public:
  BertMlm(Backend& backend, const BertConfig& config, const Tensors& tensors, const ModelLimits& limits,
          ModelFacts facts)
      : Model(std::move(facts)),
        backend_(backend),
        config_(config),
        words_(backend.UploadTable(tensors.words)),
        positions_(backend.UploadTable(tensors.positions)),
        token_types_(backend.UploadTable(tensors.token_types)),
        type_indices_(backend.AllocateIndices(limits.max_rows)),
        embedding_norm_(Norm::Upload(backend, tensors.embedding_norm)),
        transform_(PackLinear(backend, tensors.transform)),
        transform_norm_(Norm::Upload(backend, tensors.transform_norm)),
        head_{backend.PackHead(tensors.words), UploadFloats(backend, tensors.head_bias)},
        cache_(backend, config.layers, limits.max_pages, limits.page_tokens, config.attention),
        hidden_(backend.Allocate(limits.max_rows * config.width)),
        selected_(backend.Allocate(limits.max_rows * config.width)),
        inner_(backend.AllocateOperand(limits.max_rows * config.feed_forward)),
        attention_(AttentionWorkspace::Allocate(backend, limits.max_rows, config.attention)) {
    const float scale = 1.0f / std::sqrt(static_cast<float>(config.attention.head_dim));
    for (const LayerTensors& t : tensors.layers) {
      Layer layer;
      layer.attention = {
          config.attention,
          scale,
          PackLinear(backend, t.query),
          {backend.Pack({t.key.weight, t.value.weight}), UploadFloats(backend, {t.key.bias, t.value.bias})},
          PackLinear(backend, t.attention_output),
          nullptr};
      layer.attention_norm = Norm::Upload(backend, t.attention_norm);
      layer.feed_forward = {PackLinear(backend, t.up), PackLinear(backend, t.down), Epilogue::kGelu};
      layer.output_norm = Norm::Upload(backend, t.output_norm);
      layers_.push_back(std::move(layer));
    }
    backend.ReserveAttention(config.attention.head_dim);
    backend.ReserveCandidates(config.vocabulary, config.width);
  }

  OperandView Forward(const StepLayout& layout) override {
    float* hidden = hidden_->data();
    int64_t rows = layout.rows();
    backend_.Embed({words_.get(), layout.tokens.data(), rows, false, hidden});
    backend_.Embed({token_types_.get(), type_indices_->data(), rows, true, hidden});
    backend_.Embed({positions_.get(), layout.positions.data(), rows, true, hidden});
    Normalize(embedding_norm_, rows, hidden, hidden);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const KeyValuePages pages = cache_.Layer(static_cast<int64_t>(i));
      layer.attention.RunKeyValues(backend_, layout, hidden, pages, attention_);
      // After the last layer only the selected rows matter.
      const bool selected_only = i + 1 == layers_.size() && !layout.all_selected();
      if (selected_only) {
        rows = layout.selected_rows();
        if (rows == 0) break;
        backend_.Gather({hidden, layout.selected.data(), rows, config_.width, selected_->data()});
        hidden = selected_->data();
      }
      layer.attention.RunQueries(backend_, layout, selected_only, hidden, pages, attention_, Epilogue::kAdd, hidden);
      Normalize(layer.attention_norm, rows, hidden, hidden);
      layer.feed_forward.Run(backend_, hidden, rows, inner_->operand(), hidden);
      Normalize(layer.output_norm, rows, hidden, hidden);
    }
    float* transformed = attention_.queries->data();
    transform_.Run(backend_, Part::kHead, hidden, rows, Epilogue::kGelu, transformed);
    const Operand normed = attention_.mixed->operand();
    Normalize(transform_norm_, rows, transformed, normed);
    return normed;
  }

  const PackedMatrix& head() const override { return *head_.weights; }
  const float* head_bias() const override { return head_.bias->data(); }

 private:
  void Normalize(const Norm& norm, int64_t rows, const float* input, Operand output) {
    backend_.LayerNorm({input, rows, config_.width, norm.weight->data(), norm.bias->data(), config_.epsilon, output});
  }

  Backend& backend_;
  const BertConfig config_;
  std::unique_ptr<EmbeddingTable> words_;
  std::unique_ptr<EmbeddingTable> positions_;
  std::unique_ptr<EmbeddingTable> token_types_;
  std::unique_ptr<IndexBuffer> type_indices_;  // zeros
  Norm embedding_norm_;
  Linear transform_;
  Norm transform_norm_;
  Linear head_;
  std::vector<Layer> layers_;
  KeyValueCache cache_;
  std::unique_ptr<Buffer> hidden_;    // [rows, width]
  std::unique_ptr<Buffer> selected_;  // [selected rows, width]
  std::unique_ptr<Buffer> inner_;     // [rows, feed_forward]
  AttentionWorkspace attention_;
};

}  // namespace

std::unique_ptr<Model> LoadBertMlm(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const BertConfig config = ReadConfig(checkpoint.config());
  TensorFinder find(checkpoint);
  const Tensors tensors = FindTensors(find, config);
  return std::make_unique<BertMlm>(backend, config, tensors, limits,
                                   FactsOf("bert_mlm", checkpoint.config(), config, find.parameters()));
}

}  // namespace sfumato
