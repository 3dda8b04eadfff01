#include "cuda/candidate_stage.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/error.h"
#include "cuda/precision_tiles.h"
#include "cuda/soft_embedding_kernels.h"

namespace sfumato::cuda {
namespace {

int64_t Quotient(int64_t size, int64_t part) { return (size + part - 1) / part; }

constexpr int64_t kResultsPlace = 256;

int64_t ResultBytes(int64_t candidates) {
  return kResultsPlace + candidates * static_cast<int64_t>(sizeof(CandidateResult));
}

/// Threads that share a candidate; fewest where a block takes the most rows.
constexpr int64_t SharesOf(int row_tiles) { return kProductThreads / (8 * row_tiles); }

}  // namespace

CandidateStage::CandidateStage(Device& device, const BackendLimits& limits, int64_t vocabulary)
    : device_(device),
      vocabulary_(vocabulary),
      max_candidates_(limits.max_candidates),
      top_(static_cast<int32_t>(limits.max_top_candidates)),
      tiles_(Quotient(vocabulary, kCandidateTile)),
      segments_(Quotient(tiles_, kSegmentTiles)),
      max_pieces_(segments_ * SharesOf(RowTilesOf(Precision::kFloat32))),
      tile_sums_(device, limits.max_candidates * tiles_),
      statistics_(device, limits.max_candidates * max_pieces_),
      ranked_(device, limits.max_candidates * max_pieces_ * top_),
      input_logits_(device, limits.max_candidates),
      unconfident_logits_(device, limits.max_candidates * SFUMATO_MAX_TOKEN_LIST),
      maxima_(device, limits.max_candidates),
      results_(device, ResultBytes(limits.max_candidates)),
      host_results_(static_cast<uint8_t*>(device.AllocateHost(ResultBytes(limits.max_candidates)))) {}

CandidateStage::~CandidateStage() { device_.FreeHost(host_results_); }

int64_t CandidateStage::bytes() const {
  return tile_sums_.bytes() + statistics_.bytes() + ranked_.bytes() + input_logits_.bytes() +
         unconfident_logits_.bytes() + maxima_.bytes() + results_.bytes() + token_weights_.bytes() + mixtures_.bytes();
}

void CandidateStage::ReserveSoftEmbeddings(int64_t hidden) {
  token_weights_ = DeviceArray<float>(device_, max_candidates_ * kMixedTokens);
  mixtures_ = DeviceArray<float>(device_, max_candidates_ * hidden);
}

CandidateStep CandidateStage::Describe(const CandidateArguments& arguments, const StepUpload& step,
                                       float* logits) const {
  CandidateStep described = {};
  const auto& head = static_cast<const CudaMatrix&>(*arguments.head);
  described.head = head.fragments();
  described.hidden = {arguments.hidden.floats, arguments.hidden.bfloat16s};
  described.bias = arguments.bias;
  described.cap = arguments.cap;
  described.count = static_cast<int64_t>(arguments.layout->candidates.size());
  described.rows = step.candidates();
  described.rules = step.rules();
  described.tokens = step.tokens();
  described.positions = step.positions();
  described.tiles = tiles_;
  described.top = top_;
  described.tile_sums = tile_sums_.data();
  described.statistics = statistics_.data();
  described.ranked = ranked_.data();
  described.input_logits = input_logits_.data();
  described.unconfident_logits = unconfident_logits_.data();
  described.maxima = maxima_.data();
  described.logits = logits;
  described.not_finite = reinterpret_cast<int32_t*>(results_.data());
  described.results = reinterpret_cast<CandidateResult*>(results_.data() + kResultsPlace);
  return described;
}

template <int kRowTiles, int kInputTerms, class Weights>
void CandidateStage::LaunchPasses(const CandidateStep& step) {
  Launch(device_, MeasureKernel<kRowTiles, kInputTerms, Weights>{step},
         {Quotient(step.count, 8 * kRowTiles), segments_, 1});
  Launch(device_, FinishKernel<kInputTerms, Weights>{step}, {step.count, 1, 1});
}

template <int kRowTiles, int kInputTerms, class Weights>
void CandidateStage::LaunchSoftEmbeddings(const CandidateStep& step, const SoftEmbeddings& soft,
                                          const Sequence* sequences) {
  constexpr int64_t kRunTiles = kMixedTokens / kCandidateTile;
  const int64_t row_tiles = Quotient(step.count, 8 * kRowTiles);
  const int64_t inner_blocks = Quotient(step.head.tiles, kProductWarps);
  Launch(device_, FillKernel{mixtures_.data(), step.count * step.head.inner},
         {Quotient(step.count * step.head.inner, kRowThreads), 1, 1});
  for (int64_t tile = 0; tile < tiles_; tile += kRunTiles) {
    Launch(device_, WeighTokensKernel<kRowTiles, kInputTerms, Weights>{step, tile, token_weights_.data()},
           {row_tiles, std::min(kRunTiles, tiles_ - tile), 1});
    Launch(device_,
           MixEmbeddingsKernel<kRowTiles, kInputTerms, Weights>{step.head, step.count, tile * kCandidateTile,
                                                                token_weights_.data(), mixtures_.data()},
           {row_tiles, inner_blocks, 1});
  }
  Launch(device_, PlaceSoftEmbeddingKernel{step, sequences, mixtures_.data(), soft.data, soft.canvas, soft.scale},
         {step.count, 1, 1});
}

void CandidateStage::Run(const CandidateArguments& arguments, const StepUpload& step) {
  const std::vector<CandidateRow>& rows = arguments.layout->candidates;
  if (rows.empty()) return;
  DeviceArray<float> logits;
  int64_t outputs = 0;
  if (arguments.logits != nullptr) {
    for (const CandidateRow& row : rows) outputs = std::max<int64_t>(outputs, row.output + 1);
    logits = DeviceArray<float>(device_, outputs * vocabulary_);
  }
  device_.Clear(results_.data(), kResultsPlace);
  CandidateStep described = Describe(arguments, step, logits.data());
  const auto& head = static_cast<const CudaMatrix&>(*arguments.head);
  const bool rounded = arguments.hidden.floats == nullptr;
  ForFormat(head.precision(), head.format(), rounded, [&](auto tiles, auto inputs, auto format) {
    using Format = decltype(format);
    if constexpr (std::is_same_v<Format, Int4Weights>) {
      Fail(SFUMATO_INTERNAL, "head", "4 bits", "what CudaBackend::PackHead packs");
    } else {
      described.pieces = segments_ * SharesOf(tiles.value);
      LaunchPasses<tiles.value, inputs.value, Format>(described);
      if (arguments.soft.data != nullptr)
        LaunchSoftEmbeddings<tiles.value, inputs.value, Format>(described, arguments.soft, step.sequences());
    }
  });
  device_.Download(host_results_, results_.data(), ResultBytes(static_cast<int64_t>(rows.size())));
  int32_t not_finite = 0;
  std::memcpy(&not_finite, host_results_, sizeof(not_finite));
  if (not_finite != 0) Fail(SFUMATO_INTERNAL, "logits", "not finite", "finite numbers from finite weights");
  WriteResults(arguments);
  for (const CandidateRow& row : rows) {
    if (arguments.logits == nullptr) break;
    const int64_t place = row.output * vocabulary_;
    device_.Download(arguments.logits + place, logits.data() + place,
                     vocabulary_ * static_cast<int64_t>(sizeof(float)));
  }
}

void CandidateStage::WriteResults(const CandidateArguments& arguments) const {
  const CandidateOutputs& out = arguments.outputs;
  for (size_t i = 0; i < arguments.layout->candidates.size(); ++i) {
    const CandidateRow& row = arguments.layout->candidates[i];
    CandidateResult result;
    std::memcpy(&result, host_results_ + ResultBytes(static_cast<int64_t>(i)), sizeof(result));
    const int32_t at = row.output;
    out.sampled_token[at] = result.sampled_token;
    out.sampled_probability[at] = result.sampled_probability;
    out.best_token[at] = result.best_token;
    out.best_probability[at] = result.best_probability;
    out.second_probability[at] = result.second_probability;
    out.entropy[at] = result.entropy;
    out.input_probability[at] = result.input_probability;
    const int32_t count = arguments.layout->rules[static_cast<size_t>(row.item)].top_count;
    for (int64_t place = 0; place < out.top_capacity; ++place) {
      const bool filled = place < count && result.top_tokens[place] >= 0;
      out.top_tokens[at * out.top_capacity + place] = filled ? result.top_tokens[place] : -1;
      out.top_probabilities[at * out.top_capacity + place] = filled ? result.top_probabilities[place] : 0.0f;
    }
  }
}

}  // namespace sfumato::cuda
