#ifndef SFUMATO_OPS_CANDIDATES_H_
#define SFUMATO_OPS_CANDIDATES_H_

#include <cstdint>

#include "ops/matmul.h"
#include "ops/operand.h"
#include "ops/step_layout.h"

namespace sfumato {

/// Where candidates go; indexed by CandidateRow::output.
struct CandidateOutputs {
  int32_t* sampled_token;
  float* sampled_probability;
  int32_t* best_token;
  float* best_probability;
  float* second_probability;
  float* entropy;
  float* input_probability;
  int32_t* top_tokens;  // [.., top_capacity]
  float* top_probabilities;
  int64_t top_capacity;
};

/// Where the mean of the vocabulary's embeddings by each candidate's distribution goes, so that a family can condition
/// its next step on it. The head's weights must be the embeddings.
struct SoftEmbeddings {
  float* data = nullptr;  // [slots, canvas, inner]; null when nobody wants them
  int64_t canvas = 0;
  float scale = 1;
};

/// The vocabulary's product and what is drawn from it, tile by tile. Tiles are cut by the vocabulary alone. A backend keeps
/// the logits of a tile, or of a group of rows, whatever the number of candidates.
struct CandidateArguments {
  const StepLayout* layout;
  OperandView hidden;  // [selected rows, inner]
  const PackedMatrix* head;
  const float* bias = nullptr;  // [vocabulary]
  CandidateOutputs outputs;
  float* logits = nullptr;  // [.., vocabulary] indexed by CandidateRow::output; null when nobody wants them
  /// Logits become cap tanh(logits / cap); 0 for no such thing.
  float cap = 0;
  SoftEmbeddings soft = {};
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_CANDIDATES_H_
