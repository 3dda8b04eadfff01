#ifndef SFUMATO_CUDA_CANDIDATE_STAGE_H_
#define SFUMATO_CUDA_CANDIDATE_STAGE_H_

#include <vector>

#include "cuda/candidate_kernels.h"
#include "cuda/cuda_matrix.h"
#include "cuda/device.h"
#include "cuda/step_upload.h"
#include "ops/backend.h"

namespace sfumato::cuda {

/// Candidate extraction on a device; see candidate_kernels.h.
class CandidateStage {
 public:
  CandidateStage(Device& device, const BackendLimits& limits, int64_t vocabulary);
  ~CandidateStage();

  CandidateStage(const CandidateStage&) = delete;
  CandidateStage& operator=(const CandidateStage&) = delete;

  void ReserveSoftEmbeddings(int64_t hidden);

  /// Waits for the step, and writes its results.
  void Run(const CandidateArguments& arguments, const StepUpload& step);

  int64_t bytes() const;

 private:
  CandidateStep Describe(const CandidateArguments& arguments, const StepUpload& step, float* logits) const;
  template <int kRowTiles, int kInputTerms, class Weights>
  void LaunchPasses(const CandidateStep& step);
  template <int kRowTiles, int kInputTerms, class Weights>
  void LaunchSoftEmbeddings(const CandidateStep& step, const SoftEmbeddings& soft, const Sequence* sequences);
  void WriteResults(const CandidateArguments& arguments) const;

  Device& device_;
  const int64_t vocabulary_;
  const int64_t max_candidates_;
  const int32_t top_;
  const int64_t tiles_;
  const int64_t segments_;
  const int64_t max_pieces_;
  DeviceArray<TileSum> tile_sums_;           // [candidates, tiles]
  DeviceArray<PieceStatistics> statistics_;  // [candidates, pieces]
  DeviceArray<RankedToken> ranked_;          // [candidates, pieces, top]
  DeviceArray<float> input_logits_;          // [candidates]
  DeviceArray<float> unconfident_logits_;    // [candidates, SFUMATO_MAX_TOKEN_LIST]
  DeviceArray<float> maxima_;                // [candidates]
  DeviceArray<uint8_t> results_;             // not_finite, then results [candidates] from kResultsPlace on
  DeviceArray<float> token_weights_;         // [candidates, kMixedTokens]; none without soft embeddings
  DeviceArray<float> mixtures_;              // [candidates, hidden]
  uint8_t* host_results_ = nullptr;          // as results_
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CANDIDATE_STAGE_H_
