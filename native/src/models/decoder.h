#ifndef SFUMATO_MODELS_DECODER_H_
#define SFUMATO_MODELS_DECODER_H_

#include <optional>
#include <string>
#include <vector>

#include "layers/rotary_frequencies.h"
#include "models/model_sizes.h"
#include "models/tensor_finder.h"

namespace sfumato {

/// Sizes of a decoder.
struct DecoderConfig : ModelSizes {
  AttentionShape attention = {};
  /// Leading numbers of each head that are rotated.
  int64_t rotary_dim = 0;
  double rope_theta = 10000;
  std::optional<YarnScaling> yarn;
  /// Only where all numbers of a head are rotated.
  QueryScaling query_scaling;
  float epsilon = 0;
  /// Of the mixtures of experts; bias and expert_scale are set from the tensors.
  RouterRules router;

  int64_t query_width() const { return attention.heads * attention.head_dim; }
  int64_t kv_width() const { return attention.kv_heads * attention.head_dim; }
};

/// Tensors of a gated feed-forward layer with SiLU.
struct GatedTensors {
  TensorView gate, up, down;  // [inner, width], [inner, width], [width, inner]
};

/// Tensors of one layer; what a family does not have is empty.
struct DecoderLayerTensors {
  TensorView attention_norm;     // [width]
  TensorView query, key, value;  // [heads * head_dim, width], [kv_heads * head_dim, width] twice
  TensorView query_bias, key_bias, value_bias;
  TensorView query_norm, key_norm;    // [head_dim]
  TensorView attention_output;        // [width, heads * head_dim]
  TensorView feed_forward_norm;       // [width]
  std::optional<GatedTensors> dense;  // for every row
  TensorView router, router_bias;     // [experts, width], [experts]
  std::vector<GatedTensors> experts;  // for the rows that choose them
};

struct DecoderTensors {
  TensorView embedding;  // [vocabulary, width]
  TensorView norm;       // [width]
  TensorView head;       // [vocabulary, width]
  std::vector<DecoderLayerTensors> layers;
};

/// The graph that most families share: RMS norms before attention and feed-forward, rotary positions, grouped keys, gated
/// SiLU feed-forward or a mixture of experts, or both. Which positions see each other is each item's affair.
std::unique_ptr<Model> MakeDecoder(Backend& backend, const DecoderConfig& config, const DecoderTensors& tensors,
                                   const ModelLimits& limits, ModelFacts facts);

/// Sizes and heads by the names that most families share. A head's numbers are its share of the width, or 0 where the
/// heads don't divide it; which of them are rotated is the family's to say.
DecoderConfig ReadDecoderSizes(const Config& config);

/// Throws DATA_LOSS naming the fields unless heads and sizes go together.
void CheckHeads(const DecoderConfig& config, const char* heads_field, const char* kv_heads_field);

/// A layer's norms and attention by the names that most families share: input_layernorm, self_attn.{q,k,v,o}_proj,
/// post_attention_layernorm.
DecoderLayerTensors FindLayer(TensorFinder& find, const std::string& root, const DecoderConfig& config);

/// The feed-forward layer whose projections most families call gate_proj, up_proj and down_proj.
GatedTensors FindGated(TensorFinder& find, const std::string& root, int64_t inner, int64_t width);

/// Feed-forward layers 0..count-1 under the root, "0.gate_proj.weight" and so on.
std::vector<GatedTensors> FindExperts(TensorFinder& find, const std::string& root, int64_t count, int64_t inner,
                                      int64_t width);

/// Rows first..first+count-1 of a matrix.
TensorView RowsOf(const TensorView& matrix, int64_t first, int64_t count);

}  // namespace sfumato

#endif  // SFUMATO_MODELS_DECODER_H_
