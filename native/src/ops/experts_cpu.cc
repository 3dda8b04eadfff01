#include <algorithm>
#include <cmath>
#include <limits>

#include "cpu/cpu_backend.h"

namespace sfumato::cpu {
namespace {

/// Scores of one row, [experts]; softmax or sigmoid in float as the references compute them.
void ScoreRow(const RouterRules& rules, const float* logits, float* scores) {
  if (rules.score == RouterRules::Score::kSigmoid) {
    for (int64_t e = 0; e < rules.experts; ++e) scores[e] = 1.0f / (1.0f + std::exp(-logits[e]));
    return;
  }
  const float best = *std::max_element(logits, logits + rules.experts);
  float sum = 0;
  for (int64_t e = 0; e < rules.experts; ++e) sum += scores[e] = std::exp(logits[e] - best);
  for (int64_t e = 0; e < rules.experts; ++e) scores[e] /= sum;
}

/// Whether the first of two numbers is chosen before the second; not-a-number last, the first of equals.
bool Precedes(const float* numbers, int32_t a, int32_t b) {
  const float x = numbers[a];
  const float y = numbers[b];
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) == std::isnan(y) ? a < b : std::isnan(y);
  return x != y ? x > y : a < b;
}

/// Indices of the best so many of the numbers, ascending.
void ChooseBest(const float* numbers, int64_t size, int64_t chosen, int32_t* best) {
  int32_t ranked[kMaxExperts];
  int64_t count = 0;
  for (int32_t i = 0; i < size; ++i) {
    int64_t rank = count;
    while (rank > 0 && Precedes(numbers, i, ranked[rank - 1])) --rank;
    if (rank >= chosen) continue;
    count = std::min(count + 1, chosen);
    for (int64_t move = count - 1; move > rank; --move) ranked[move] = ranked[move - 1];
    ranked[rank] = i;
  }
  std::sort(ranked, ranked + count);
  std::copy_n(ranked, count, best);
}

/// Sum of the two best numbers, or of the only one.
float BestTwo(const float* numbers, int64_t size) {
  float best = numbers[0];
  float second = -std::numeric_limits<float>::infinity();
  for (int64_t i = 1; i < size; ++i) {
    second = std::max(second, std::min(best, numbers[i]));
    best = std::max(best, numbers[i]);
  }
  return size == 1 ? best : best + second;
}

/// Makes the experts of all groups but the best ones ineligible.
void DropGroups(const RouterRules& rules, float* eligible) {
  float group_scores[kMaxExperts];
  int32_t groups[kMaxExperts];
  const int64_t size = rules.experts / rules.groups;
  for (int64_t group = 0; group < rules.groups; ++group) group_scores[group] = BestTwo(eligible + group * size, size);
  ChooseBest(group_scores, rules.groups, rules.chosen_groups, groups);
  const int32_t* kept = groups;
  for (int64_t group = 0; group < rules.groups; ++group) {
    if (kept < groups + rules.chosen_groups && *kept == group) {
      ++kept;
      continue;
    }
    std::fill_n(eligible + group * size, size, -std::numeric_limits<float>::infinity());
  }
}

void RouteRow(const RouterRules& rules, const float* logits, int32_t* experts, float* weights) {
  float scores[kMaxExperts];
  float eligible[kMaxExperts];
  ScoreRow(rules, logits, scores);
  for (int64_t e = 0; e < rules.experts; ++e) eligible[e] = scores[e] + (rules.bias == nullptr ? 0.0f : rules.bias[e]);
  const bool biased = rules.bias != nullptr && rules.bias_weighs;
  if (biased) std::copy_n(eligible, rules.experts, scores);
  if (rules.groups > 1) DropGroups(rules, eligible);
  ChooseBest(eligible, rules.experts, rules.chosen, experts);
  float sum = 0;
  for (int64_t i = 0; i < rules.chosen; ++i) sum += weights[i] = scores[experts[i]];
  for (int64_t i = 0; i < rules.chosen; ++i) {
    if (rules.normalized) weights[i] /= sum;
    weights[i] *= rules.scale;
    if (rules.expert_scale != nullptr) weights[i] *= rules.expert_scale[experts[i]];
  }
}

}  // namespace

void CpuBackend::Route(const RouteArguments& arguments) {
  const ProfileScope scope(profile(), Part::kRouter, 0);
  const RouterRules& rules = arguments.rules;
  const int64_t chosen = rules.chosen;
  ForRows(arguments.rows, [&](int64_t row) {
    RouteRow(rules, arguments.logits + row * rules.experts, arguments.experts + row * chosen,
             arguments.weights + row * chosen);
  });
  std::fill_n(arguments.ends, rules.experts, 0);
  const int64_t choices = arguments.rows * chosen;
  for (int64_t i = 0; i < choices; ++i) ++arguments.ends[arguments.experts[i]];
  int32_t start = 0;
  for (int64_t e = 0; e < rules.experts; ++e) {
    const int32_t count = arguments.ends[e];
    arguments.ends[e] = start;
    start += count;
  }
  for (int64_t i = 0; i < choices; ++i) {
    const int32_t place = arguments.ends[arguments.experts[i]]++;
    arguments.places[i] = place;
    arguments.rows_placed[place] = static_cast<int32_t>(i / chosen);
  }
}

void CpuBackend::Combine(const CombineArguments& arguments) {
  const ProfileScope scope(profile(), Part::kRouter, 0);
  ForRows(arguments.rows, [&](int64_t row) {
    if (!arguments.add) std::fill_n(arguments.output + row * arguments.width, arguments.width, 0.0f);
    for (int64_t i = row * arguments.chosen; i < (row + 1) * arguments.chosen; ++i) {
      kernels_.add_scaled(arguments.input + arguments.places[i] * arguments.width, arguments.weights[i],
                          arguments.width, arguments.output + row * arguments.width);
    }
  });
}

}  // namespace sfumato::cpu
