#ifndef SFUMATO_MODELS_MODEL_SIZES_H_
#define SFUMATO_MODELS_MODEL_SIZES_H_

#include "io/config.h"
#include "models/model.h"

namespace sfumato {

/// Sizes that every family has.
struct ModelSizes {
  int64_t width = 0;
  int64_t layers = 0;
  int64_t vocabulary = 0;
  int64_t max_positions = 0;
};

/// Sets sizes from hidden_size, num_hidden_layers, vocab_size and max_position_embeddings, as most families call them.
void ReadSizes(const Config& config, ModelSizes& sizes);

/// The facts that follow from sizes and from a config's token ids. A family says the rest.
ModelFacts FactsOf(const char* family, const Config& config, const ModelSizes& sizes, int64_t parameters);

}  // namespace sfumato

#endif  // SFUMATO_MODELS_MODEL_SIZES_H_
