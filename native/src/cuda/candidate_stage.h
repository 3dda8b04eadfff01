#ifndef SFUMATO_CUDA_CANDIDATE_STAGE_H_
#define SFUMATO_CUDA_CANDIDATE_STAGE_H_

#include <functional>
#include <vector>

#include "cuda/candidate_kernels.h"
#include "cuda/cuda_matrix.h"
#include "cuda/device.h"
#include "cuda/product_kernel.h"
#include "cuda/step_upload.h"
#include "ops/backend.h"

namespace sfumato::cuda {

/// Candidate extraction on a device, for a group of candidates after the other: the products of the head with the group's rows
/// lie in a work space. See candidate_kernels.h.
class CandidateStage {
 public:
  /// Multiplies rows with a matrix of own kernels.
  using Multiply = std::function<void(const CudaMatrix&, const Product&)>;

  CandidateStage(Device& device, const BackendLimits& limits, int64_t vocabulary, int64_t hidden);
  ~CandidateStage();

  CandidateStage(const CandidateStage&) = delete;
  CandidateStage& operator=(const CandidateStage&) = delete;

  void ReserveSoftEmbeddings();

  /// Waits for the step, and writes its results.
  void Run(const CandidateArguments& arguments, const StepUpload& step, const Multiply& multiply);

  int64_t bytes() const;

 private:
  CandidateStep Describe(const CandidateArguments& arguments, const StepUpload& step, float* logits) const;
  void MultiplyRows(const CandidateArguments& arguments, const CandidateStep& group, const Multiply& multiply);
  void MixEmbeddings(const CandidateArguments& arguments, const CandidateStep& group, const Sequence* sequences);
  void WriteResults(const CandidateArguments& arguments) const;

  Device& device_;
  const int64_t vocabulary_;
  const int64_t hidden_;
  const int32_t top_;
  const int64_t tiles_;
  const int64_t pieces_;
  const int64_t rows_;  // of a group, candidates and their guides
  const int64_t runs_;
  DeviceArray<float> gathered_;              // [rows, hidden], or so many bfloat16 numbers
  DeviceArray<float> products_;              // [rows, tiles, kCandidateTile]
  DeviceArray<TileSum> tile_sums_;           // [rows, tiles]
  DeviceArray<PieceStatistics> statistics_;  // [rows, pieces]
  DeviceArray<RankedToken> ranked_;          // [rows, pieces, top]
  DeviceArray<float> input_logits_;          // [rows]
  DeviceArray<float> unconfident_logits_;    // [rows, SFUMATO_MAX_TOKEN_LIST]
  DeviceArray<uint8_t> results_;             // not_finite, then results [candidates] from kResultsPlace on
  DeviceArray<float> maxima_;                // [rows]; none without soft embeddings, like the following
  DeviceArray<double> weight_sums_;          // [rows, runs]
  DeviceArray<float> mixtures_;              // [runs, rows, hidden]
  uint8_t* host_results_ = nullptr;          // as results_
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CANDIDATE_STAGE_H_
