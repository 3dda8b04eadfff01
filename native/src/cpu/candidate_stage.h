#ifndef SFUMATO_CPU_CANDIDATE_STAGE_H_
#define SFUMATO_CPU_CANDIDATE_STAGE_H_

#include <atomic>
#include <cstdint>

#include "base/aligned_buffer.h"
#include "base/profile.h"
#include "base/thread_pool.h"
#include "cpu/kernels.h"
#include "ops/backend.h"

namespace sfumato::cpu {

class Products;

/// Candidate extraction on the CPU, in two passes. The first computes the logits tile by tile and keeps statistics per
/// row and segment of the vocabulary; the second combines the segments of each row in order, draws, and measures. Tiles
/// and segments are cut by the vocabulary alone.
class CandidateStage {
 public:
  CandidateStage(const Kernels& kernels, Products& products, ThreadPool& pool, const BackendLimits& limits,
                 int64_t vocabulary, int64_t hidden);

  void Run(const CandidateArguments& arguments, Profile& profile);

  int64_t bytes() const;

 private:
  /// Statistics of one row over the tiles of one segment; sums are relative to best.
  struct Segment {
    float best;
    float second;
    int32_t best_token;
    double sum;
    double weighted_sum;
  };

  /// Sum of exp(sampling_scale (z - maximum)) of one row's tile.
  struct TileSum {
    float maximum;
    float sum;
  };

  struct Alternative {
    float logit;
    int32_t token;
  };

  /// One row while its segments are combined; see candidate_stage.cc.
  struct RowResult;

  void MeasureTile(const CandidateArguments& arguments, int64_t first, int64_t count, int64_t tile, int thread);
  void ComputeLogits(const CandidateArguments& arguments, int64_t first, int64_t count, int64_t tile, int thread);
  void MeasureRow(const CandidateArguments& arguments, int64_t candidate, int64_t tile, float* logits);
  void MixEmbeddings(const CandidateArguments& arguments, int64_t first, int64_t count, int thread);
  void Finish(const CandidateArguments& arguments, int64_t candidate, int thread);
  void Combine(int64_t candidate, const CandidateRules& rules, float scale, RowResult& row) const;
  void Draw(const CandidateArguments& arguments, int64_t candidate, const CandidateRules& rules, int thread,
            RowResult& row);
  void WriteAlternatives(const CandidateArguments& arguments, int64_t candidate, const CandidateRules& rules,
                         float scale, const RowResult& row) const;

  int64_t SegmentOf(int64_t tile) const;
  int64_t FirstTile(int64_t segment) const { return tiles_ * segment / segments_; }
  const float* GatherHidden(const CandidateArguments& arguments, int64_t first, int64_t count, bool guides,
                            float* buffer) const;

  const Kernels& kernels_;
  Products& products_;
  ThreadPool& pool_;
  const int64_t vocabulary_;
  const int64_t hidden_;
  const int64_t top_;
  const int64_t tiles_;
  const int64_t segments_;

  AlignedBuffer<Segment> segment_statistics_;  // [candidates, segments]
  AlignedBuffer<TileSum> tile_sums_;           // [candidates, tiles]
  AlignedBuffer<Alternative> alternatives_;    // [candidates, segments, top]
  AlignedBuffer<float> input_logits_;          // [candidates]
  AlignedBuffer<float> unconfident_logits_;    // [candidates, SFUMATO_MAX_TOKEN_LIST]
  AlignedBuffer<float> logits_;                // [threads, row tile, tile]
  AlignedBuffer<float> guide_logits_;          // [threads, row tile, tile]
  AlignedBuffer<float> gathered_;              // [threads, row tile, hidden]
  AlignedBuffer<float> maxima_;                // [candidates] greatest logit
  AlignedBuffer<float> mixtures_;              // [threads, 2 hidden + panel width, panel width]
  std::atomic<bool> not_finite_{false};
};

}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_CANDIDATE_STAGE_H_
