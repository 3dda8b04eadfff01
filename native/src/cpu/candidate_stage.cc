#include "cpu/candidate_stage.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "base/philox.h"
#include "cpu/products.h"

namespace sfumato::cpu {
namespace {

/// Columns of a tile: one row's statistics and the other operand's panels stay in the caches.
constexpr int64_t kTile = 512;
constexpr int64_t kRows = 64;
constexpr int64_t kMaxSegments = 16;
constexpr int64_t kMaxPanelWidth = 32;
/// Tiles of rows whose embeddings are mixed together, at most, and inner numbers that are mixed of a whole tile of tokens
/// while they are in the first-level cache.
constexpr int64_t kMixedTiles = 4;
constexpr int64_t kMixedInner = 64;
constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

int64_t TileCount(int64_t vocabulary) { return (vocabulary + kTile - 1) / kTile; }

size_t Size(int64_t a, int64_t b) { return static_cast<size_t>(a * b); }

float Scale(const CandidateRules& rules) {
  return rules.tempered_probabilities && rules.temperature > 0 ? 1.0f / rules.temperature : 1.0f;
}

float SamplingScale(const CandidateRules& rules) { return rules.temperature > 0 ? 1.0f / rules.temperature : 1.0f; }

bool Before(float logit, int32_t token, float other_logit, int32_t other_token) {
  return logit > other_logit || (logit == other_logit && token < other_token);
}

bool Contains(const int32_t* tokens, int32_t count, int32_t token) {
  return std::find(tokens, tokens + count, token) != tokens + count;
}

/// In double, as several chains that need not wait for each other.
double SumOf(const float* numbers, int64_t size) {
  constexpr int64_t kChains = 8;
  double sums[kChains] = {};
  int64_t i = 0;
  for (; i + kChains <= size; i += kChains) {
    for (int64_t chain = 0; chain < kChains; ++chain) sums[chain] += numbers[i + chain];
  }
  for (; i < size; ++i) sums[0] += numbers[i];
  return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

float MaximumOf(const float* numbers, int64_t size) {
  constexpr int64_t kChains = 16;
  float maxima[kChains];
  std::fill(std::begin(maxima), std::end(maxima), kMinusInfinity);
  int64_t i = 0;
  for (; i + kChains <= size; i += kChains) {
    for (int64_t chain = 0; chain < kChains; ++chain)
      maxima[chain] = numbers[i + chain] > maxima[chain] ? numbers[i + chain] : maxima[chain];
  }
  for (; i < size; ++i) maxima[0] = std::max(maxima[0], numbers[i]);
  return *std::max_element(std::begin(maxima), std::end(maxima));
}

}  // namespace

/// The confident distribution leaves the unconfident tokens out, the whole one has them. The sums of each are relative
/// to its own maximum.
struct CandidateStage::RowResult {
  double confident_maximum = 0;
  double confident_sum = 0;
  double maximum = 0;
  double whole_sum = 0;
  double whole_weighted_sum = 0;
  int32_t best_token = -1;
  float best = kMinusInfinity;
  bool best_confident = true;
  float second = kMinusInfinity;
  bool second_confident = true;
  int32_t sampled_token = -1;
  float sampled = kMinusInfinity;

  void Offer(float logit, int32_t token, bool confident) {
    if (logit == kMinusInfinity) return;
    if (best_token < 0 || Before(logit, token, best, best_token)) {
      second = best;
      second_confident = best_confident;
      best = logit;
      best_token = token;
      best_confident = confident;
    } else {
      OfferSecond(logit, confident);
    }
  }

  void OfferSecond(float logit, bool confident) {
    if (logit <= second) return;
    second = logit;
    second_confident = confident;
  }
};

CandidateStage::CandidateStage(const Kernels& kernels, Products& products, ThreadPool& pool,
                               const BackendLimits& limits, int64_t vocabulary, int64_t hidden)
    : kernels_(kernels),
      products_(products),
      pool_(pool),
      vocabulary_(vocabulary),
      hidden_(hidden),
      top_(limits.max_top_candidates),
      tiles_(TileCount(vocabulary)),
      segments_(std::min(tiles_, kMaxSegments)),
      max_candidates_(limits.max_candidates),
      segment_statistics_(Size(limits.max_candidates, segments_)),
      tile_sums_(Size(limits.max_candidates, tiles_)),
      alternatives_(Size(limits.max_candidates, segments_ * top_)),
      input_logits_(static_cast<size_t>(limits.max_candidates)),
      unconfident_logits_(Size(limits.max_candidates, SFUMATO_MAX_TOKEN_LIST)),
      logits_(Size(pool.threads(), kRows * kTile)),
      guide_logits_(Size(pool.threads(), kRows * kTile)),
      gathered_(Size(pool.threads(), kRows * hidden)) {}

void CandidateStage::ReserveSoftEmbeddings() {
  mixed_tiles_ = std::min((max_candidates_ + kRows - 1) / kRows, kMixedTiles);
  exponentials_ = AlignedBuffer<float>(Size(pool_.threads(), kTile));
  token_weights_ = AlignedBuffer<float>(Size(pool_.threads(), kTile * kRows));
  widened_ = AlignedBuffer<float>(Size(pool_.threads(), kMixedInner * kernels_.panel_width));
  mixed_ = AlignedBuffer<Mixed>(Size(segments_, mixed_tiles_ * kRows));
  mixtures_ = AlignedBuffer<float>(Size(segments_, mixed_tiles_ * kRows * hidden_));
}

int64_t CandidateStage::bytes() const {
  return segment_statistics_.bytes() + tile_sums_.bytes() + alternatives_.bytes() + input_logits_.bytes() +
         unconfident_logits_.bytes() + logits_.bytes() + guide_logits_.bytes() + gathered_.bytes() +
         exponentials_.bytes() + token_weights_.bytes() + widened_.bytes() + mixed_.bytes() + mixtures_.bytes();
}

void CandidateStage::Run(const CandidateArguments& arguments, Profile& profile) {
  const auto count = static_cast<int64_t>(arguments.layout->candidates.size());
  const bool soft = arguments.soft.data != nullptr;
  const int64_t together = soft ? mixed_tiles_ * kRows : count;
  not_finite_.store(false);
  for (int64_t first = 0; first < count; first += together) {
    Group group = {first, std::min(together, count - first), 0};
    group.row_tiles = (group.count + kRows - 1) / kRows;
    {
      const ProfileScope scope(profile, Part::kVocabulary, (soft ? 4 : 2) * group.count * vocabulary_ * hidden_);
      // Tasks of one segment are neighbours, so that its weights are read from memory once.
      pool_.Run(segments_ * group.row_tiles, [&](int64_t task, int thread) noexcept {
        MeasureSegment(arguments, group, task / group.row_tiles, task % group.row_tiles, thread);
      });
    }
    const ProfileScope scope(profile, Part::kSampling, 0);
    const int64_t chunks = std::min<int64_t>(group.count, pool_.threads());
    pool_.Run(chunks, [&](int64_t chunk, int thread) noexcept {
      for (int64_t i = group.count * chunk / chunks; i < group.count * (chunk + 1) / chunks; ++i)
        Finish(arguments, first + i, thread);
    });
    if (not_finite_.load()) Fail(SFUMATO_INTERNAL, "logits", "not finite", "finite numbers from finite weights");
    if (!soft) continue;
    const int64_t panels = kRows / kernels_.panel_width;
    pool_.Run(group.row_tiles * panels,
              [&](int64_t task, int) noexcept { PlaceSoftEmbeddings(arguments, group, task / panels, task % panels); });
  }
}

void CandidateStage::MeasureSegment(const CandidateArguments& arguments, const Group& group, int64_t segment,
                                    int64_t row_tile, int thread) {
  const int64_t first = group.FirstOf(row_tile);
  const int64_t count = group.FirstOf(row_tile + 1) - first;
  const bool soft = arguments.soft.data != nullptr;
  Mixed* mixed = nullptr;
  float* mixture = nullptr;
  if (soft) {
    mixed = MixedOf(segment, row_tile);
    mixture = MixtureOf(segment, row_tile);
    std::fill_n(mixed, kRows, Mixed{kMinusInfinity, 0});
    std::fill_n(mixture, kRows * hidden_, 0.0f);
  }
  float* logits = logits_.data() + thread * kRows * kTile;
  for (int64_t tile = FirstTile(segment); tile < FirstTile(segment + 1); ++tile) {
    ComputeLogits(arguments, first, count, tile, thread);
    if (soft) {
      WeighTile(arguments, first, count, tile, mixed, mixture, thread);
      MixTile(arguments, count, tile, mixture, thread);
    }
    for (int64_t i = 0; i < count; ++i) MeasureRow(arguments, first + i, tile, logits + i * StrideOf(tile));
  }
}

void CandidateStage::WeighTile(const CandidateArguments& arguments, int64_t first, int64_t count, int64_t tile,
                               Mixed* mixed, float* mixture, int thread) {
  const StepLayout& layout = *arguments.layout;
  const int64_t width = kernels_.panel_width;
  const int64_t columns = std::min(kTile, vocabulary_ - tile * kTile);
  const float* logits = logits_.data() + thread * kRows * kTile;
  float* numbers = exponentials_.data() + thread * kTile;
  float* weights = token_weights_.data() + thread * kTile * kRows;
  std::fill_n(weights, kTile * kRows, 0.0f);
  for (int64_t panel = 0; panel * width < count; ++panel) {
    float factors[kMaxPanelWidth];
    std::fill(std::begin(factors), std::end(factors), 1.0f);
    bool grown = false;
    for (int64_t lane = 0; lane < width && panel * width + lane < count; ++lane) {
      const int64_t row = panel * width + lane;
      const CandidateRow& candidate = layout.candidates[static_cast<size_t>(first + row)];
      const float scale = SamplingScale(layout.rules[static_cast<size_t>(candidate.item)]);
      const float* own = logits + row * StrideOf(tile);
      const float maximum = std::max(mixed[row].maximum, MaximumOf(own, columns));
      if (maximum > mixed[row].maximum) {
        factors[lane] = std::exp(scale * (mixed[row].maximum - maximum));
        mixed[row].maximum = maximum;
        mixed[row].sum *= factors[lane];
        grown = true;
      }
      for (int64_t c = 0; c < columns; ++c) numbers[c] = scale * (own[c] - maximum);
      kernels_.exponential(numbers, columns, numbers);
      mixed[row].sum += SumOf(numbers, columns);
      for (int64_t c = 0; c < columns; ++c)
        weights[(c / width * kRows + panel * width + c % width) * width + lane] = numbers[c];
    }
    if (!grown) continue;
    float* mix = mixture + panel * width * hidden_;
    for (int64_t i = 0; i < hidden_; ++i) {
      for (int64_t lane = 0; lane < width; ++lane) mix[i * width + lane] *= factors[lane];
    }
  }
}

void CandidateStage::MixTile(const CandidateArguments& arguments, int64_t count, int64_t tile, float* mixture,
                             int thread) {
  const auto& head = static_cast<const CpuMatrix&>(*arguments.head);
  const int64_t width = kernels_.panel_width;
  const int64_t panels = StrideOf(tile) / width;
  const float* weights = token_weights_.data() + thread * kTile * kRows;
  float* widened = widened_.data() + thread * kMixedInner * width;
  for (int64_t k = 0; k < hidden_; k += kMixedInner) {
    const int64_t inner = std::min(kMixedInner, hidden_ - k);
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t place = tile * kTile / width + panel;
      const float* floats = widened;
      if (head.format() == CpuMatrix::Format::kFloat) {
        floats = head.floats(place) + k * width;
      } else {
        kernels_.widen(head.halves(place) + k * width, inner * width, widened);
      }
      for (int64_t row = 0; row < count; row += width)
        kernels_.mix_panel(floats, inner, weights + (panel * kRows + row) * width, mixture + row * hidden_ + k * width);
    }
  }
}

void CandidateStage::PlaceSoftEmbeddings(const CandidateArguments& arguments, const Group& group, int64_t row_tile,
                                         int64_t panel) {
  const StepLayout& layout = *arguments.layout;
  const int64_t width = kernels_.panel_width;
  const int64_t first = group.FirstOf(row_tile) + panel * width;
  const int64_t count = std::min(width, group.FirstOf(row_tile + 1) - first);
  if (count <= 0) return;
  float factors[kMaxSegments][kMaxPanelWidth] = {};
  double totals[kMaxPanelWidth] = {};
  for (int64_t lane = 0; lane < count; ++lane) {
    const CandidateRow& candidate = layout.candidates[static_cast<size_t>(first + lane)];
    const float scale = SamplingScale(layout.rules[static_cast<size_t>(candidate.item)]);
    const auto mixed = [&](int64_t segment) { return MixedOf(segment, row_tile)[panel * width + lane]; };
    float maximum = kMinusInfinity;
    for (int64_t segment = 0; segment < segments_; ++segment) maximum = std::max(maximum, mixed(segment).maximum);
    for (int64_t segment = 0; segment < segments_; ++segment) {
      const float factor = std::exp(scale * (mixed(segment).maximum - maximum));
      factors[segment][lane] = factor;
      totals[lane] += factor * mixed(segment).sum;
    }
  }
  float* sum = MixtureOf(0, row_tile) + panel * width * hidden_;
  for (int64_t segment = 0; segment < segments_; ++segment) {
    const float* mix = MixtureOf(segment, row_tile) + panel * width * hidden_;
    for (int64_t i = 0; i < hidden_ * width; i += width) {
      for (int64_t lane = 0; lane < width; ++lane)
        sum[i + lane] = (segment == 0 ? 0.0f : sum[i + lane]) + mix[i + lane] * factors[segment][lane];
    }
  }
  for (int64_t lane = 0; lane < count; ++lane) {
    const CandidateRow& candidate = layout.candidates[static_cast<size_t>(first + lane)];
    if (!candidate.first_of_row) continue;
    const Sequence& sequence = layout.sequences[static_cast<size_t>(candidate.item)];
    float* soft =
        arguments.soft.data + (sequence.slot * arguments.soft.canvas + candidate.row - sequence.first_row) * hidden_;
    const auto factor = static_cast<float>(arguments.soft.scale / totals[lane]);
    for (int64_t i = 0; i < hidden_; ++i) soft[i] = sum[i * width + lane] * factor;
  }
}

const float* CandidateStage::GatherHidden(const CandidateArguments& arguments, int64_t first, int64_t count,
                                          bool guides, float* buffer) const {
  const CandidateRow* rows = arguments.layout->candidates.data() + first;
  const auto index = [guides](const CandidateRow& row) { return guides ? row.guide : row.selected; };
  bool consecutive = index(rows[0]) >= 0;
  for (int64_t i = 1; i < count; ++i) consecutive = consecutive && index(rows[i]) == index(rows[0]) + i;
  if (consecutive) return arguments.hidden.floats + index(rows[0]) * hidden_;
  for (int64_t i = 0; i < count; ++i) {
    // A row without a guide among guided ones: any row will do, its product is not used.
    const int64_t source = std::max(index(rows[i]), 0);
    std::copy_n(arguments.hidden.floats + source * hidden_, hidden_, buffer + i * hidden_);
  }
  return buffer;
}

void CandidateStage::ComputeLogits(const CandidateArguments& arguments, int64_t first, int64_t count, int64_t tile,
                                   int thread) {
  const auto& head = static_cast<const CpuMatrix&>(*arguments.head);
  const int64_t column = tile * kTile;
  const int64_t columns = std::min(kTile, vocabulary_ - column);
  const float* bias = arguments.bias == nullptr ? nullptr : arguments.bias + column;
  const CandidateRow* rows = arguments.layout->candidates.data() + first;
  float* gathered = gathered_.data() + thread * kRows * hidden_;
  // The product keeps its partial sums where the result will be: both have rows of kTile columns then.
  const int64_t stride = StrideOf(tile);
  const auto multiply = [&](const float* hidden, float* logits) {
    ProductTile<float> product = {};
    product.columns = columns;
    product.bias = bias;
    product.epilogue = Epilogue::kStore;
    product.output = product.scratch = logits;
    product.output_stride = stride;
    products_.SetInput(head, hidden, count, thread);
    products_.Run(head, column / kernels_.panel_width, product, thread);
  };
  float* logits = logits_.data() + thread * kRows * kTile;
  multiply(GatherHidden(arguments, first, count, false, gathered), logits);
  if (arguments.cap > 0) kernels_.cap(arguments.cap, count * stride, logits);
  if (arguments.logits != nullptr) {
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(logits + i * stride, columns, arguments.logits + rows[i].output * vocabulary_ + column);
    }
  }
  if (std::all_of(rows, rows + count, [](const CandidateRow& row) { return row.guide < 0; })) return;
  float* guides = guide_logits_.data() + thread * kRows * kTile;
  multiply(GatherHidden(arguments, first, count, true, gathered), guides);
  if (arguments.cap > 0) kernels_.cap(arguments.cap, count * stride, guides);
  for (int64_t i = 0; i < count; ++i) {
    if (rows[i].guide < 0) continue;
    const float scale = arguments.layout->rules[static_cast<size_t>(rows[i].item)].guidance_scale;
    kernels_.guide(guides + i * stride, scale, columns, logits + i * stride);
  }
}

/// Of the rows of a tile's logits.
int64_t CandidateStage::StrideOf(int64_t tile) const {
  const int64_t width = kernels_.panel_width;
  return (std::min(kTile, vocabulary_ - tile * kTile) + width - 1) / width * width;
}

CandidateStage::Mixed* CandidateStage::MixedOf(int64_t segment, int64_t row_tile) {
  return mixed_.data() + (segment * mixed_tiles_ + row_tile) * kRows;
}

float* CandidateStage::MixtureOf(int64_t segment, int64_t row_tile) {
  return mixtures_.data() + (segment * mixed_tiles_ + row_tile) * kRows * hidden_;
}

int64_t CandidateStage::SegmentOf(int64_t tile) const {
  int64_t segment = tile * segments_ / tiles_;
  while (FirstTile(segment + 1) <= tile) ++segment;
  return segment;
}

void CandidateStage::MeasureRow(const CandidateArguments& arguments, int64_t candidate, int64_t tile, float* logits) {
  const StepLayout& layout = *arguments.layout;
  const CandidateRow& row = layout.candidates[static_cast<size_t>(candidate)];
  const CandidateRules& rules = layout.rules[static_cast<size_t>(row.item)];
  const auto begin = static_cast<int32_t>(tile * kTile);
  const auto columns = static_cast<int32_t>(std::min(kTile, vocabulary_ - begin));
  const auto inside = [begin, columns](int32_t token) { return token >= begin && token < begin + columns; };

  for (int32_t i = 0; i < rules.suppressed_count; ++i) {
    if (inside(rules.suppressed[i])) logits[rules.suppressed[i] - begin] = kMinusInfinity;
  }
  const int32_t input = row.token < 0 ? layout.tokens[static_cast<size_t>(row.row)] : row.token;
  if (inside(input)) input_logits_[static_cast<size_t>(candidate)] = logits[input - begin];
  float* unconfident = unconfident_logits_.data() + candidate * SFUMATO_MAX_TOKEN_LIST;
  for (int32_t i = 0; i < rules.unconfident_count; ++i) {
    if (!inside(rules.unconfident[i])) continue;
    float& logit = logits[rules.unconfident[i] - begin];
    unconfident[i] = logit;  // minus infinity for a token that is listed twice
    logit = kMinusInfinity;
  }

  LogitStatistics statistics;
  kernels_.logit_statistics(logits, columns, Scale(rules), SamplingScale(rules), &statistics);
  tile_sums_[Size(candidate, tiles_) + static_cast<size_t>(tile)] = {statistics.best, statistics.sampling_sum};

  const int64_t segment_index = SegmentOf(tile);
  Segment& segment = segment_statistics_[Size(candidate, segments_) + static_cast<size_t>(segment_index)];
  Alternative* alternatives = alternatives_.data() + (candidate * segments_ + segment_index) * top_;
  if (tile == FirstTile(segment_index)) {
    segment = {kMinusInfinity, kMinusInfinity, -1, 0, 0};
    for (int64_t i = 0; i < top_; ++i) alternatives[i] = {kMinusInfinity, -1};
  }
  if (std::isnan(statistics.sum) || statistics.sum == std::numeric_limits<float>::infinity()) not_finite_.store(true);
  if (statistics.best == kMinusInfinity) return;

  const double scale = Scale(rules);
  const float maximum = std::max(segment.best, statistics.best);
  const auto add = [&](double sum, double weighted_sum, float best, double& new_sum, double& new_weighted_sum) {
    if (best == kMinusInfinity) return;
    const double shift = scale * (static_cast<double>(best) - maximum);
    const double factor = std::exp(shift);
    new_sum += factor * sum;
    new_weighted_sum += factor * (weighted_sum + shift * sum);
  };
  double sum = 0;
  double weighted_sum = 0;
  add(segment.sum, segment.weighted_sum, segment.best, sum, weighted_sum);
  add(statistics.sum, statistics.weighted_sum, statistics.best, sum, weighted_sum);
  segment.sum = sum;
  segment.weighted_sum = weighted_sum;
  if (statistics.best > segment.best) {
    segment.second = std::max(segment.best, statistics.second);
    segment.best = statistics.best;
    segment.best_token = begin + statistics.best_token;
  } else {
    segment.second = std::max(segment.second, statistics.best);
  }

  const int32_t top = rules.top_count;
  if (top == 0 || statistics.best <= alternatives[top - 1].logit) return;
  for (int32_t c = 0; c < columns; ++c) {
    if (logits[c] <= alternatives[top - 1].logit) continue;
    int32_t place = top - 1;
    for (; place > 0 && logits[c] > alternatives[place - 1].logit; --place)
      alternatives[place] = alternatives[place - 1];
    alternatives[place] = {logits[c], begin + c};
  }
}

void CandidateStage::Combine(int64_t candidate, const CandidateRules& rules, float scale, RowResult& row) const {
  const Segment* segments = segment_statistics_.data() + candidate * segments_;
  const float* unconfident = unconfident_logits_.data() + candidate * SFUMATO_MAX_TOKEN_LIST;
  float maximum = kMinusInfinity;
  for (int64_t s = 0; s < segments_; ++s) maximum = std::max(maximum, segments[s].best);
  row.confident_maximum = maximum;
  for (int32_t i = 0; i < rules.unconfident_count; ++i) maximum = std::max(maximum, unconfident[i]);
  row.maximum = maximum;
  double weighted_sum = 0;
  for (int64_t s = 0; s < segments_; ++s) {
    if (segments[s].best == kMinusInfinity) continue;
    const double shift = scale * (segments[s].best - row.confident_maximum);
    const double factor = std::exp(shift);
    row.confident_sum += factor * segments[s].sum;
    weighted_sum += factor * (segments[s].weighted_sum + shift * segments[s].sum);
    row.Offer(segments[s].best, segments[s].best_token, true);
    row.OfferSecond(segments[s].second, true);
  }
  if (row.confident_sum > 0) {
    const double shift = scale * (row.confident_maximum - row.maximum);
    row.whole_sum = std::exp(shift) * row.confident_sum;
    row.whole_weighted_sum = std::exp(shift) * (weighted_sum + shift * row.confident_sum);
  }
  for (int32_t i = 0; i < rules.unconfident_count; ++i) {
    if (unconfident[i] == kMinusInfinity) continue;
    const double shift = scale * (unconfident[i] - row.maximum);
    row.whole_sum += std::exp(shift);
    row.whole_weighted_sum += shift * std::exp(shift);
    row.Offer(unconfident[i], rules.unconfident[i], false);
  }
}

void CandidateStage::Draw(const CandidateArguments& arguments, int64_t candidate, const CandidateRules& rules,
                          int thread, RowResult& row) {
  const StepLayout& layout = *arguments.layout;
  const double scale = SamplingScale(rules);
  const TileSum* sums = tile_sums_.data() + candidate * tiles_;
  const float* unconfident = unconfident_logits_.data() + candidate * SFUMATO_MAX_TOKEN_LIST;
  const auto tile_weight = [&](int64_t tile) {
    double weight = sums[tile].maximum == kMinusInfinity
                        ? 0.0
                        : sums[tile].sum * std::exp(scale * (sums[tile].maximum - row.maximum));
    for (int32_t i = 0; i < rules.unconfident_count; ++i) {
      if (rules.unconfident[i] / kTile == tile && unconfident[i] != kMinusInfinity)
        weight += std::exp(scale * (unconfident[i] - row.maximum));
    }
    return weight;
  };
  double total = 0;
  for (int64_t tile = 0; tile < tiles_; ++tile) total += tile_weight(tile);
  const auto position = static_cast<uint32_t>(
      layout.positions[static_cast<size_t>(layout.candidates[static_cast<size_t>(candidate)].row)]);
  const double target =
      static_cast<double>(Uniform(rules.seed, position, rules.step, rules.block, RandomPurpose::kTokenSampling)) *
      total;

  double before = 0;
  int64_t chosen = 0;
  double chosen_before = 0;
  for (int64_t tile = 0; tile < tiles_; ++tile) {
    const double weight = tile_weight(tile);
    if (weight <= 0) continue;
    chosen = tile;
    chosen_before = before;
    before += weight;
    if (before > target) break;
  }

  ComputeLogits(arguments, candidate, 1, chosen, thread);
  const auto begin = static_cast<int32_t>(chosen * kTile);
  const auto columns = static_cast<int32_t>(std::min(kTile, vocabulary_ - begin));
  const float* logits = logits_.data() + thread * kRows * kTile;
  double cumulative = chosen_before;
  for (int32_t c = 0; c < columns; ++c) {
    if (Contains(rules.suppressed, rules.suppressed_count, begin + c)) continue;
    const double weight = std::exp(scale * (logits[c] - row.maximum));
    if (weight <= 0) continue;
    row.sampled_token = begin + c;
    row.sampled = logits[c];
    cumulative += weight;
    if (cumulative > target) break;
  }
}

void CandidateStage::Finish(const CandidateArguments& arguments, int64_t candidate, int thread) {
  const CandidateRow& place = arguments.layout->candidates[static_cast<size_t>(candidate)];
  const CandidateRules& rules = arguments.layout->rules[static_cast<size_t>(place.item)];
  const float scale = Scale(rules);
  RowResult row;
  Combine(candidate, rules, scale, row);
  if (row.best_token < 0 || !std::isfinite(row.maximum) || !std::isfinite(row.whole_sum)) {
    not_finite_.store(true);
    return;
  }
  if (rules.temperature > 0) {
    Draw(arguments, candidate, rules, thread, row);
  } else {
    row.sampled_token = row.best_token;
    row.sampled = row.best;
  }
  const auto confidence = [&row, scale](float logit, bool confident) {
    if (!confident || row.confident_sum <= 0) return 0.0f;
    return static_cast<float>(std::exp(scale * (logit - row.confident_maximum)) / row.confident_sum);
  };
  const bool sampled_confident = !Contains(rules.unconfident, rules.unconfident_count, row.sampled_token);
  const CandidateOutputs& out = arguments.outputs;
  const int32_t at = place.output;
  out.sampled_token[at] = row.sampled_token;
  out.sampled_probability[at] = confidence(row.sampled, sampled_confident);
  out.best_token[at] = row.best_token;
  out.best_probability[at] = confidence(row.best, row.best_confident);
  out.second_probability[at] = confidence(row.second, row.second_confident);
  out.entropy[at] = static_cast<float>(std::max(0.0, std::log(row.whole_sum) - row.whole_weighted_sum / row.whole_sum));
  const double input = input_logits_[static_cast<size_t>(candidate)];
  out.input_probability[at] = static_cast<float>(std::exp(scale * (input - row.maximum)) / row.whole_sum);
  WriteAlternatives(arguments, candidate, rules, scale, row);
}

void CandidateStage::WriteAlternatives(const CandidateArguments& arguments, int64_t candidate,
                                       const CandidateRules& rules, float scale, const RowResult& row) const {
  const int32_t at = arguments.layout->candidates[static_cast<size_t>(candidate)].output;
  const int64_t capacity = arguments.outputs.top_capacity;
  Alternative top[SFUMATO_MAX_TOP_CANDIDATES];
  std::fill(std::begin(top), std::end(top), Alternative{kMinusInfinity, -1});
  const auto offer = [&](Alternative offered) {
    if (offered.logit == kMinusInfinity) return;
    for (int32_t place = 0; place < rules.top_count; ++place) {
      if (top[place].token < 0 || Before(offered.logit, offered.token, top[place].logit, top[place].token))
        std::swap(top[place], offered);
      if (offered.token < 0) return;
    }
  };
  if (rules.top_count > 0) {
    for (int64_t i = 0; i < segments_ * top_; ++i)
      offer(alternatives_[static_cast<size_t>(candidate * segments_ * top_ + i)]);
    const float* unconfident = unconfident_logits_.data() + candidate * SFUMATO_MAX_TOKEN_LIST;
    for (int32_t i = 0; i < rules.unconfident_count; ++i) offer({unconfident[i], rules.unconfident[i]});
  }
  for (int64_t place = 0; place < capacity; ++place) {
    const bool filled = place < rules.top_count && top[place].token >= 0;
    arguments.outputs.top_tokens[at * capacity + place] = filled ? top[place].token : -1;
    arguments.outputs.top_probabilities[at * capacity + place] =
        filled ? static_cast<float>(std::exp(scale * (top[place].logit - row.maximum)) / row.whole_sum) : 0.0f;
  }
}

}  // namespace sfumato::cpu
