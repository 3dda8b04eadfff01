#ifndef SFUMATO_MODELS_MODEL_H_
#define SFUMATO_MODELS_MODEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "io/checkpoint.h"
#include "ops/backend.h"

namespace sfumato {

/// What a family and its config fix.
struct ModelFacts {
  std::string family;
  int32_t vocabulary = 0;
  int32_t hidden_size = 0;
  int32_t layers = 0;
  int32_t max_positions = 0;
  int32_t mask_token_id = -1;
  int32_t end_of_text_token_id = -1;
  int32_t pad_token_id = -1;
  sfumato_attention attention = SFUMATO_ATTENTION_FULL;
  /// Whether what pages hold is what would be computed again.
  bool key_value_cache = false;
  bool shifted_logits = false;
  /// Whether a canvas's step is conditioned on what the one before predicted.
  bool self_conditioning = false;
  /// Positions of a block that the model was trained with; 0 when its config names none.
  int32_t block_length = 0;
  int64_t parameters = 0;
};

/// What a model allocates for.
struct ModelLimits {
  int64_t max_rows = 0;
  int64_t page_tokens = 1;
  int64_t max_slots = 1;
  int64_t max_pages = 0;
};

/// A loaded model: its weights on a backend and the graph of one step. Confined to the engine's thread.
class Model {
 public:
  virtual ~Model() = default;

  const ModelFacts& facts() const { return facts_; }

  /// Runs the step up to the head. Returns the hidden states of the selected rows, [selected rows, hidden_size], valid
  /// until the next call.
  virtual OperandView Forward(const StepLayout& layout) = 0;

  /// Keeps what the step's candidates come to, where the family conditions the next step on it.
  virtual SoftEmbeddings soft_embeddings() { return {}; }
  virtual void CopyState(int32_t, int32_t) {}
  virtual void ResetSlot(int32_t) {}

  /// Logits are squashed into -cap..cap by its hyperbolic tangent; 0 for no such thing.
  virtual float logit_cap() const { return 0; }

  /// The product that turns hidden states into logits, [vocabulary, hidden_size], and its bias or null.
  virtual const PackedMatrix& head() const = 0;
  virtual const float* head_bias() const { return nullptr; }

 protected:
  explicit Model(ModelFacts facts) : facts_(std::move(facts)) {}

  ModelFacts facts_;
};

}  // namespace sfumato

#endif  // SFUMATO_MODELS_MODEL_H_
