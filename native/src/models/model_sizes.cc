#include "models/model_sizes.h"

namespace sfumato {

void ReadSizes(const Config& config, ModelSizes& sizes) {
  sizes.width = config.Integer("hidden_size", 1, 1 << 16);
  sizes.layers = config.Integer("num_hidden_layers", 1, 1024);
  sizes.vocabulary = config.Integer("vocab_size", 1, 1 << 24);
  sizes.max_positions = config.Integer("max_position_embeddings", 1, 1 << 20);
}

ModelFacts FactsOf(const char* family, const Config& config, const ModelSizes& sizes, int64_t parameters) {
  ModelFacts facts;
  facts.family = family;
  facts.vocabulary = static_cast<int32_t>(sizes.vocabulary);
  facts.hidden_size = static_cast<int32_t>(sizes.width);
  facts.layers = static_cast<int32_t>(sizes.layers);
  facts.max_positions = static_cast<int32_t>(sizes.max_positions);
  facts.mask_token_id = config.TokenOr("mask_token_id", sizes.vocabulary);
  facts.end_of_text_token_id = config.TokenOr("eos_token_id", sizes.vocabulary);
  facts.pad_token_id = config.TokenOr("pad_token_id", sizes.vocabulary);
  facts.parameters = parameters;
  return facts;
}

}  // namespace sfumato
