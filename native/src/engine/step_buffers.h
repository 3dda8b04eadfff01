#ifndef SFUMATO_ENGINE_STEP_BUFFERS_H_
#define SFUMATO_ENGINE_STEP_BUFFERS_H_

#include "base/aligned_buffer.h"
#include "engine/engine_options.h"
#include "ops/candidates.h"
#include "sfumato_engine.h"

namespace sfumato {

/// The arrays that an engine shares with its caller. The caller may write anything into them at any time between calls.
struct StepBuffers {
  StepBuffers(const EngineOptions& options, int64_t max_positions);

  sfumato_buffers Describe();
  CandidateOutputs Outputs();
  int64_t bytes() const;

  AlignedBuffer<sfumato_item> items;
  AlignedBuffer<int32_t> tokens;
  AlignedBuffer<int32_t> candidate_rows;
  AlignedBuffer<int32_t> candidate_tokens;
  AlignedBuffer<int32_t> pages;
  AlignedBuffer<int32_t> token_lists;

  AlignedBuffer<int32_t> sampled_token;
  AlignedBuffer<float> sampled_probability;
  AlignedBuffer<int32_t> best_token;
  AlignedBuffer<float> best_probability;
  AlignedBuffer<float> second_probability;
  AlignedBuffer<float> entropy;
  AlignedBuffer<float> input_probability;
  AlignedBuffer<int32_t> top_tokens;
  AlignedBuffer<float> top_probabilities;
  int64_t top_capacity;
};

}  // namespace sfumato

#endif  // SFUMATO_ENGINE_STEP_BUFFERS_H_
