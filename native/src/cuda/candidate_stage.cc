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

/// Of a group at most, candidates and their guides: what an H100 multiplies while it reads the head once more.
constexpr int64_t kGroupRows = 256;

}  // namespace

CandidateStage::CandidateStage(Device& device, const BackendLimits& limits, int64_t vocabulary, int64_t hidden)
    : device_(device),
      vocabulary_(vocabulary),
      hidden_(hidden),
      top_(static_cast<int32_t>(limits.max_top_candidates)),
      tiles_(Quotient(vocabulary, kCandidateTile)),
      pieces_(Quotient(tiles_, kSegmentTiles) * MeasureKernel::kShares),
      rows_(std::min(2 * limits.max_candidates, kGroupRows)),
      runs_(Quotient(vocabulary, kRunTokens)),
      gathered_(device, rows_ * hidden),
      products_(device, rows_ * tiles_ * kCandidateTile),
      tile_sums_(device, rows_ * tiles_),
      statistics_(device, rows_ * pieces_),
      ranked_(device, rows_ * pieces_ * top_),
      input_logits_(device, rows_),
      unconfident_logits_(device, rows_ * SFUMATO_MAX_TOKEN_LIST),
      results_(device, ResultBytes(limits.max_candidates)),
      host_results_(static_cast<uint8_t*>(device.AllocateHost(ResultBytes(limits.max_candidates)))) {}

CandidateStage::~CandidateStage() { device_.FreeHost(host_results_); }

int64_t CandidateStage::bytes() const {
  return gathered_.bytes() + products_.bytes() + tile_sums_.bytes() + statistics_.bytes() + ranked_.bytes() +
         input_logits_.bytes() + unconfident_logits_.bytes() + results_.bytes() + maxima_.bytes() +
         weight_sums_.bytes() + mixtures_.bytes();
}

void CandidateStage::ReserveSoftEmbeddings() {
  maxima_ = DeviceArray<float>(device_, rows_);
  weight_sums_ = DeviceArray<double>(device_, rows_ * runs_);
  mixtures_ = DeviceArray<float>(device_, runs_ * rows_ * hidden_);
}

CandidateStep CandidateStage::Describe(const CandidateArguments& arguments, const StepUpload& step,
                                       float* logits) const {
  CandidateStep described = {};
  described.products = products_.data();
  described.vocabulary = vocabulary_;
  described.tiles = tiles_;
  described.bias = arguments.bias;
  described.cap = arguments.cap;
  described.rules = step.rules();
  described.tokens = step.tokens();
  described.positions = step.positions();
  described.pieces = pieces_;
  described.top = top_;
  described.tile_sums = tile_sums_.data();
  described.statistics = statistics_.data();
  described.ranked = ranked_.data();
  described.input_logits = input_logits_.data();
  described.unconfident_logits = unconfident_logits_.data();
  described.maxima = arguments.soft.data == nullptr ? nullptr : maxima_.data();
  described.logits = logits;
  described.not_finite = reinterpret_cast<int32_t*>(results_.data());
  return described;
}

void CandidateStage::MultiplyRows(const CandidateArguments& arguments, const CandidateStep& group,
                                  const Multiply& multiply) {
  const auto& head = static_cast<const CudaMatrix&>(*arguments.head);
  Product product = {};
  product.weights = head.fragments();
  product.weights.outputs = tiles_ * kCandidateTile;
  product.rows = group.guides == 0 ? group.count : 2 * group.count;
  product.epilogue = Epilogue::kStore;
  product.output.floats = products_.data();
  Output gathered = {};
  if (arguments.hidden.floats != nullptr) {
    gathered.floats = gathered_.data();
    product.input.floats = gathered_.data();
  } else {
    gathered.bfloat16s = reinterpret_cast<uint16_t*>(gathered_.data());
    product.input.bfloat16s = reinterpret_cast<uint16_t*>(gathered_.data());
  }
  Launch(device_,
         GatherCandidatesKernel{
             group.rows, group.count, {arguments.hidden.floats, arguments.hidden.bfloat16s}, hidden_, gathered},
         {product.rows, 1, 1});
  device_.Label(PartName(Part::kVocabulary));
  multiply(head, product);
}

void CandidateStage::MixEmbeddings(const CandidateArguments& arguments, const CandidateStep& group,
                                   const Sequence* sequences) {
  const auto& head = static_cast<const CudaMatrix&>(*arguments.head);
  const Fragments& fragments = head.fragments();
  const int64_t stride = tiles_ * kCandidateTile;
  const auto mix = [&](auto kernel) {
    using Kernel = decltype(kernel);
    Launch(device_, kernel, {Quotient(group.count, Kernel::kRows), Quotient(hidden_, Kernel::kInner), runs_});
  };
  const bool rounded = arguments.hidden.floats == nullptr;
  ForFormat(head.precision(), head.format(), rounded, [&](auto tiles, auto inputs, auto format) {
    using Format = decltype(format);
    if constexpr (std::is_same_v<Format, Int4Weights>) {
      Fail(SFUMATO_INTERNAL, "head", "4 bits", "what CudaBackend::PackHead packs");
    } else {
      constexpr bool kRounds = inputs.value == 1;
      Launch(device_, WeighTokensKernel<kRounds>{group, fragments.scales, products_.data(), weight_sums_.data(), runs_},
             {group.count, runs_, 1});
      if constexpr (kRounds) {
        const auto* weights = reinterpret_cast<const uint16_t*>(products_.data());
        // The same bits either way.
        if (group.count > MixEmbeddingsKernel<8, Format>::kRows) {
          mix(MixEmbeddingsKernel<16, Format>{fragments, group.count, weights, 2 * stride, mixtures_.data()});
        } else {
          mix(MixEmbeddingsKernel<8, Format>{fragments, group.count, weights, 2 * stride, mixtures_.data()});
        }
      } else {
        mix(MixExactEmbeddingsKernel<tiles.value, Format>{fragments, group.count, products_.data(), stride,
                                                          mixtures_.data()});
      }
    }
  });
  const SoftEmbeddings& soft = arguments.soft;
  Launch(device_,
         PlaceSoftEmbeddingKernel{group.rows, sequences, weight_sums_.data(), mixtures_.data(), group.count, runs_,
                                  hidden_, soft.data, soft.canvas, soft.scale},
         {group.count, 1, 1});
}

void CandidateStage::Run(const CandidateArguments& arguments, const StepUpload& step, const Multiply& multiply) {
  const std::vector<CandidateRow>& rows = arguments.layout->candidates;
  if (rows.empty()) return;
  DeviceArray<float> logits;
  int64_t outputs = 0;
  if (arguments.logits != nullptr) {
    for (const CandidateRow& row : rows) outputs = std::max<int64_t>(outputs, row.output + 1);
    logits = DeviceArray<float>(device_, outputs * vocabulary_);
  }
  device_.Clear(results_.data(), kResultsPlace);
  CandidateStep group = Describe(arguments, step, logits.data());
  const bool guided = std::any_of(rows.begin(), rows.end(), [](const CandidateRow& row) { return row.guide >= 0; });
  const auto count = static_cast<int64_t>(rows.size());
  for (int64_t first = 0; first < count; first += group.count) {
    group.count = std::min(count - first, guided ? rows_ / 2 : rows_);
    group.guides = guided ? group.count : 0;
    group.rows = step.candidates() + first;
    group.results = reinterpret_cast<CandidateResult*>(results_.data() + kResultsPlace) + first;
    MultiplyRows(arguments, group, multiply);
    Launch(device_, MeasureKernel{group},
           {Quotient(group.count, MeasureKernel::kRows), Quotient(tiles_, kSegmentTiles), 1});
    Launch(device_, FinishKernel{group}, {group.count, 1, 1});
    if (arguments.soft.data != nullptr) MixEmbeddings(arguments, group, step.sequences());
  }
  device_.Download(host_results_, results_.data(), ResultBytes(count));
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
