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
/// and segments are cut by the vocabulary alone. Where soft embeddings are wanted the first pass multiplies a tile's
/// embeddings as well, while its logits and weights are in the caches, by an online softmax for each segment.
class CandidateStage {
 public:
  CandidateStage(const Kernels& kernels, Products& products, ThreadPool& pool, const BackendLimits& limits,
                 int64_t vocabulary, int64_t hidden);

  void ReserveSoftEmbeddings();

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

  /// Some candidates that are worked on together, and how they are cut into tiles of rows.
  struct Group {
    int64_t first;
    int64_t count;
    int64_t row_tiles;

    int64_t FirstOf(int64_t row_tile) const { return first + count * row_tile / row_tiles; }
  };

  /// The weights of a row of one segment.
  struct Mixed {
    float maximum;  // of the logits so far, to which the sum and the mixture are relative
    double sum;
  };

  void MeasureSegment(const CandidateArguments& arguments, const Group& group, int64_t segment, int64_t row_tile,
                      int thread);
  void ComputeLogits(const CandidateArguments& arguments, int64_t first, int64_t count, int64_t tile, int thread);
  void MeasureRow(const CandidateArguments& arguments, int64_t candidate, int64_t tile, float* logits);
  void WeighTile(const CandidateArguments& arguments, int64_t first, int64_t count, int64_t tile, Mixed* mixed,
                 float* mixture, int thread);
  void MixTile(const CandidateArguments& arguments, int64_t count, int64_t tile, float* mixture, int thread);
  void PlaceSoftEmbeddings(const CandidateArguments& arguments, const Group& group, int64_t row_tile, int64_t panel);
  void Finish(const CandidateArguments& arguments, int64_t candidate, int thread);
  void Combine(int64_t candidate, const CandidateRules& rules, float scale, RowResult& row) const;
  void Draw(const CandidateArguments& arguments, int64_t candidate, const CandidateRules& rules, int thread,
            RowResult& row);
  void WriteAlternatives(const CandidateArguments& arguments, int64_t candidate, const CandidateRules& rules,
                         float scale, const RowResult& row) const;

  int64_t StrideOf(int64_t tile) const;
  int64_t SegmentOf(int64_t tile) const;
  Mixed* MixedOf(int64_t segment, int64_t row_tile);
  float* MixtureOf(int64_t segment, int64_t row_tile);
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
  const int64_t max_candidates_;
  int64_t mixed_tiles_ = 0;  // of rows that are mixed together; 0 without soft embeddings

  AlignedBuffer<Segment> segment_statistics_;  // [candidates, segments]
  AlignedBuffer<TileSum> tile_sums_;           // [candidates, tiles]
  AlignedBuffer<Alternative> alternatives_;    // [candidates, segments, top]
  AlignedBuffer<float> input_logits_;          // [candidates]
  AlignedBuffer<float> unconfident_logits_;    // [candidates, SFUMATO_MAX_TOKEN_LIST]
  AlignedBuffer<float> logits_;                // [threads, row tile, tile]
  AlignedBuffer<float> guide_logits_;          // [threads, row tile, tile]
  AlignedBuffer<float> gathered_;              // [threads, row tile, hidden]
  AlignedBuffer<float> exponentials_;          // [threads, tile]
  AlignedBuffer<float> token_weights_;         // [threads, panels of a tile, panels of rows, panel width, panel width]
  AlignedBuffer<float> widened_;               // [threads, kMixedInner, panel width]
  AlignedBuffer<Mixed> mixed_;                 // [segments, mixed tiles, row tile]
  AlignedBuffer<float> mixtures_;              // [segments, mixed tiles, panels of rows, hidden, panel width]
  std::atomic<bool> not_finite_{false};
};

}  // namespace sfumato::cpu

#endif  // SFUMATO_CPU_CANDIDATE_STAGE_H_
