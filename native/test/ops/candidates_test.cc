#include "ops/candidates.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/philox.h"
#include "ops/op_test.h"

namespace sfumato::test {
namespace {

constexpr double kMinus = -std::numeric_limits<double>::infinity();

/// What the definitions in sfumato_engine.h come to for one row, in double.
struct Expected {
  int32_t sampled_token, best_token;
  double sampled_probability, best_probability, second_probability, entropy, input_probability;
  std::vector<std::pair<double, int32_t>> ranking;  // probability, token; without the suppressed
  /// How near the draw was to another token.
  double margin;
};

Expected Define(std::vector<double> logits, const CandidateRules& rules, int32_t position, int32_t input) {
  const auto vocabulary = static_cast<int32_t>(logits.size());
  for (int32_t i = 0; i < rules.suppressed_count; ++i) logits[static_cast<size_t>(rules.suppressed[i])] = kMinus;
  const std::set<int32_t> unconfident(rules.unconfident, rules.unconfident + rules.unconfident_count);
  const auto softmax = [&](double temperature, bool confident_only) {
    std::vector<double> p = logits;
    for (int32_t t = 0; t < vocabulary; ++t) {
      if (confident_only && unconfident.contains(t)) p[static_cast<size_t>(t)] = kMinus;
    }
    const double maximum = *std::max_element(p.begin(), p.end());
    for (double& x : p) x = x == kMinus ? 0 : std::exp((x - maximum) / temperature);
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& x : p) x /= sum;
    return p;
  };
  const double measured = rules.tempered_probabilities && rules.temperature > 0 ? double{rules.temperature} : 1.0;
  const std::vector<double> whole = softmax(measured, false);
  const std::vector<double> confident = softmax(measured, true);

  Expected e = {};
  std::vector<int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return logits[static_cast<size_t>(a)] > logits[static_cast<size_t>(b)];
  });
  e.best_token = order[0];
  e.best_probability = confident[static_cast<size_t>(order[0])];
  e.second_probability = confident[static_cast<size_t>(order[1])];
  for (const int32_t token : order) {
    if (logits[static_cast<size_t>(token)] > kMinus) e.ranking.emplace_back(whole[static_cast<size_t>(token)], token);
  }
  for (const double p : whole) e.entropy -= p > 0 ? p * std::log(p) : 0;
  e.input_probability = whole[static_cast<size_t>(input)];
  e.sampled_token = e.best_token;
  e.margin = 1;
  if (rules.temperature > 0) {
    const std::vector<double> drawn = softmax(double{rules.temperature}, false);
    const double u =
        Uniform(rules.seed, static_cast<uint32_t>(position), rules.step, rules.block, RandomPurpose::kTokenSampling);
    double cumulative = 0;
    for (int32_t t = 0; t < vocabulary; ++t) {
      const double before = cumulative;
      cumulative += drawn[static_cast<size_t>(t)];
      if (cumulative <= u) continue;
      e.sampled_token = t;
      e.margin = std::min(cumulative - u, u - before);
      break;
    }
  }
  e.sampled_probability = confident[static_cast<size_t>(e.sampled_token)];
  return e;
}

/// A step of random hidden states with one item for each set of rules.
struct Step {
  int64_t vocabulary;
  int64_t hidden;
  Floats weights, bias, states;
  StepLayout layout;

  Step(int64_t vocabulary_size, int64_t hidden_size, int64_t rows, uint32_t seed)
      : vocabulary(vocabulary_size),
        hidden(hidden_size),
        weights(RandomFloats(vocabulary * hidden, seed, 3.0f / std::sqrt(static_cast<float>(hidden)))),
        bias(RandomFloats(vocabulary, seed + 1)),
        states(RandomFloats(rows * hidden, seed + 2)) {
    std::mt19937 generator(seed + 3);
    for (int64_t row = 0; row < rows; ++row) {
      layout.tokens.push_back(static_cast<int32_t>(generator() % static_cast<uint32_t>(vocabulary)));
      layout.positions.push_back(static_cast<int32_t>(3 + 2 * row));
      layout.selected.push_back(static_cast<int32_t>(row));
    }
  }

  void Add(const CandidateRules& rules, int32_t row, int32_t guide = -1, int32_t token = -1) {
    layout.rules.push_back(rules);
    const auto index = static_cast<int32_t>(layout.candidates.size());
    layout.candidates.push_back({index, index, row, token, row, guide});
  }

  std::vector<double> Logits(int32_t selected) const {
    std::vector<double> logits(static_cast<size_t>(vocabulary));
    for (int64_t t = 0; t < vocabulary; ++t) {
      double sum = bias[static_cast<size_t>(t)];
      for (int64_t k = 0; k < hidden; ++k) {
        sum +=
            double{states[static_cast<size_t>(selected * hidden + k)]} * weights[static_cast<size_t>(t * hidden + k)];
      }
      logits[static_cast<size_t>(t)] = sum;
    }
    return logits;
  }

  Expected Define(size_t candidate) const {
    const CandidateRow& row = layout.candidates[candidate];
    const CandidateRules& rules = layout.rules[static_cast<size_t>(row.item)];
    std::vector<double> logits = Logits(row.selected);
    if (row.guide >= 0) {
      const std::vector<double> guide = Logits(row.guide);
      for (size_t t = 0; t < logits.size(); ++t)
        logits[t] = guide[t] + (rules.guidance_scale + 1.0) * (logits[t] - guide[t]);
    }
    return test::Define(logits, rules, layout.positions[static_cast<size_t>(row.row)],
                        row.token < 0 ? layout.tokens[static_cast<size_t>(row.row)] : row.token);
  }
};

struct Results {
  explicit Results(size_t rows, int64_t top)
      : sampled(rows),
        best(rows),
        sampled_p(rows),
        best_p(rows),
        second_p(rows),
        entropy(rows),
        input_p(rows),
        top_tokens(rows * static_cast<size_t>(top), -7),
        top_p(top_tokens.size()),
        capacity(top) {}

  CandidateOutputs Outputs() {
    return {sampled.data(), sampled_p.data(), best.data(),       best_p.data(), second_p.data(),
            entropy.data(), input_p.data(),   top_tokens.data(), top_p.data(),  capacity};
  }

  bool operator==(const Results&) const = default;

  std::vector<int32_t> sampled, best;
  Floats sampled_p, best_p, second_p, entropy, input_p;
  std::vector<int32_t> top_tokens;
  Floats top_p;
  int64_t capacity;
};

class CandidatesTest : public OpTest {
 protected:
  Results Run(const Step& step, int threads = 2, Floats* logits = nullptr) {
    const auto backend = MakeBackend(GetParam(), threads);
    const auto head = backend->PackHead(View(step.weights, {step.vocabulary, step.hidden}));
    backend->ReserveCandidates(step.vocabulary, step.hidden);
    Results results(step.layout.candidates.size(), 8);
    if (logits != nullptr) logits->assign(step.layout.candidates.size() * static_cast<size_t>(step.vocabulary), 0);
    backend->Candidates({&step.layout, step.states.data(), head.get(), step.bias.data(), results.Outputs(),
                         logits == nullptr ? nullptr : logits->data()});
    return results;
  }

  void ExpectDefined(const Step& step, const Results& results) {
    int draws = 0;
    for (size_t i = 0; i < step.layout.candidates.size(); ++i) {
      SCOPED_TRACE(i);
      const Expected e = step.Define(i);
      const CandidateRules& rules = step.layout.rules[static_cast<size_t>(step.layout.candidates[i].item)];
      EXPECT_EQ(results.best[i], e.best_token);
      if (e.margin > 1e-5) {
        EXPECT_EQ(results.sampled[i], e.sampled_token);
        EXPECT_NEAR(results.sampled_p[i], e.sampled_probability, 2e-5);
        ++draws;
      }
      EXPECT_NEAR(results.best_p[i], e.best_probability, 2e-5);
      EXPECT_NEAR(results.second_p[i], e.second_probability, 2e-5);
      EXPECT_NEAR(results.entropy[i], e.entropy, 1e-4);
      EXPECT_NEAR(results.input_p[i], e.input_probability, 2e-5);
      for (int32_t rank = 0; rank < 8; ++rank) {
        const size_t at = i * 8 + static_cast<size_t>(rank);
        const bool wanted = rank < rules.top_count && static_cast<size_t>(rank) < e.ranking.size();
        EXPECT_EQ(results.top_tokens[at], wanted ? e.ranking[static_cast<size_t>(rank)].second : -1) << rank;
        EXPECT_NEAR(results.top_p[at], wanted ? e.ranking[static_cast<size_t>(rank)].first : 0, 2e-5) << rank;
      }
    }
    EXPECT_GT(draws, static_cast<int>(step.layout.candidates.size()) / 2);
  }
};

CandidateRules Rules(float temperature, bool tempered = false, int32_t top = 0) {
  CandidateRules rules;
  rules.seed = 77;
  rules.step = 2;
  rules.block = 1;
  rules.temperature = temperature;
  rules.tempered_probabilities = tempered;
  rules.top_count = top;
  return rules;
}

TEST_P(CandidatesTest, MeasuresLiteralLogits) {
  // One hidden number, so that the weights are the logits: log 1, log 2, log 4, log 1.
  Step step(4, 1, 1, 1);
  step.weights = {0, std::log(2.0f), std::log(4.0f), 0};
  step.bias = {0, 0, 0, 0};
  step.states = {1};
  step.layout.tokens = {1};
  step.Add(Rules(0, false, 3), 0);
  const Results results = Run(step);
  EXPECT_EQ(results.best[0], 2);
  EXPECT_EQ(results.sampled[0], 2);
  EXPECT_NEAR(results.best_p[0], 0.5, 1e-6);
  EXPECT_NEAR(results.second_p[0], 0.25, 1e-6);
  EXPECT_NEAR(results.input_p[0], 0.25, 1e-6);
  EXPECT_NEAR(results.entropy[0], 0.5 * std::log(2) + 0.25 * std::log(4) + 0.25 * std::log(8), 1e-6);
  EXPECT_EQ(std::vector<int32_t>(results.top_tokens.begin(), results.top_tokens.begin() + 4),
            (std::vector<int32_t>{2, 1, 0, -1}));
}

TEST_P(CandidatesTest, TellsTheProbabilityOfAGivenToken) {
  Step step(4, 1, 1, 1);
  step.weights = {0, std::log(2.0f), std::log(4.0f), 0};
  step.bias = {0, 0, 0, 0};
  step.states = {1};
  step.layout.tokens = {1};
  for (const int32_t token : {2, 0, -1}) step.Add(Rules(0), 0, -1, token);
  const Results results = Run(step);
  EXPECT_NEAR(results.input_p[0], 0.5, 1e-6);
  EXPECT_NEAR(results.input_p[1], 0.125, 1e-6);
  EXPECT_NEAR(results.input_p[2], 0.25, 1e-6);
  EXPECT_EQ(results.best, (std::vector<int32_t>{2, 2, 2}));
}

TEST_P(CandidatesTest, MatchesTheDefinitionsForEveryKindOfRow) {
  for (const int64_t vocabulary : {2, 37, 512, 1500, 9001}) {
    SCOPED_TRACE(vocabulary);
    Step step(vocabulary, 24, 30, 5);
    int32_t row = 0;
    for (const float temperature : {0.0f, 1.0f, 0.3f, 2.5f, 0.001f}) {
      for (const bool tempered : {false, true}) {
        step.Add(Rules(temperature, tempered, vocabulary < 8 ? 2 : 5), row++);
        CandidateRules listed = Rules(temperature, tempered, vocabulary < 8 ? 1 : 8);
        const auto ranking = step.Define(step.layout.candidates.size() - 1).ranking;
        // The most probable token may be chosen but has no confidence, the next can't be chosen; and one more of each.
        listed.unconfident[listed.unconfident_count++] = ranking[0].second;
        if (vocabulary > 8) {
          listed.suppressed[listed.suppressed_count++] = ranking[1].second;
          listed.suppressed[listed.suppressed_count++] = static_cast<int32_t>(vocabulary - 1);
          listed.unconfident[listed.unconfident_count++] = 3;
        }
        step.Add(listed, row++);
      }
    }
    ExpectDefined(step, Run(step, 3));
  }
}

TEST_P(CandidatesTest, GuidesByAnotherRow) {
  Step step(1200, 16, 8, 9);
  for (int32_t row = 0; row < 4; ++row) {
    CandidateRules rules = Rules(row % 2 == 0 ? 0.0f : 0.8f, false, 4);
    rules.guidance_scale = 1.5f;
    step.Add(rules, row, row == 2 ? -1 : 4 + row);
  }
  Floats logits;
  ExpectDefined(step, Run(step, 2, &logits));
  // Logits are given out as they are before guidance.
  for (size_t i = 0; i < 4; ++i) {
    const std::vector<double> own = step.Logits(static_cast<int32_t>(i));
    for (size_t t = 0; t < own.size(); ++t) ASSERT_NEAR(logits[i * own.size() + t], own[t], 1e-5);
  }
}

TEST_P(CandidatesTest, TheSmallestOfEqualTokensIsTheBest) {
  Step step(1100, 1, 1, 1);
  std::fill(step.weights.begin(), step.weights.end(), 0.0f);
  std::fill(step.bias.begin(), step.bias.end(), -1.0f);
  for (const size_t token : {300u, 301u, 900u}) step.bias[token] = 2.0f;
  step.Add(Rules(0, false, 4), 0);
  const Results results = Run(step);
  EXPECT_EQ(results.best[0], 300);
  EXPECT_EQ(results.best_p[0], results.second_p[0]);
  EXPECT_EQ(std::vector<int32_t>(results.top_tokens.begin(), results.top_tokens.begin() + 4),
            (std::vector<int32_t>{300, 301, 900, 0}));
}

TEST_P(CandidatesTest, DrawsFollowTheDistribution) {
  Step step(40, 4, 1, 13);
  constexpr int32_t kDraws = 20000;
  const auto backend = MakeBackend(GetParam(), 2);
  const auto head = backend->PackHead(View(step.weights, {40, 4}));
  backend->ReserveCandidates(40, 4);
  std::vector<int> counts(40, 0);
  for (int32_t first = 0; first < kDraws; first += 1000) {
    step.layout.rules.clear();
    step.layout.candidates.clear();
    for (int32_t i = 0; i < 1000; ++i) {
      CandidateRules rules = Rules(1.0f);
      rules.step = static_cast<uint32_t>(first + i + 1);
      step.Add(rules, 0);
    }
    Results results(1000, 0);
    backend->Candidates({&step.layout, step.states.data(), head.get(), step.bias.data(), results.Outputs(), nullptr});
    for (const int32_t token : results.sampled) counts[static_cast<size_t>(token)] += 1;
  }
  for (const auto& [probability, token] : step.Define(0).ranking) {
    const double deviation = std::sqrt(probability * (1 - probability) / kDraws);
    EXPECT_NEAR(counts[static_cast<size_t>(token)] / static_cast<double>(kDraws), probability, 5 * deviation + 1e-4)
        << token;
  }
}

TEST_P(CandidatesTest, ARowIsTheSameAloneAndAmongOthers) {
  Step all(3000, 40, 200, 21);
  for (int32_t row = 0; row < 200; ++row) all.Add(Rules(row % 3 == 0 ? 0.0f : 0.7f, row % 2 == 0, 5), row);
  const Results among = Run(all, 3);
  for (const int32_t row : {0, 1, 63, 64, 130, 199}) {
    Step one = all;
    one.layout.rules.clear();
    one.layout.candidates.clear();
    one.Add(all.layout.rules[static_cast<size_t>(row)], row);
    const Results alone = Run(one, 1);
    const auto at = static_cast<size_t>(row);
    EXPECT_EQ(alone.sampled[0], among.sampled[at]);
    EXPECT_EQ(alone.sampled_p[0], among.sampled_p[at]);
    EXPECT_EQ(alone.best_p[0], among.best_p[at]);
    EXPECT_EQ(alone.second_p[0], among.second_p[at]);
    EXPECT_EQ(alone.entropy[0], among.entropy[at]);
    EXPECT_EQ(alone.input_p[0], among.input_p[at]);
    EXPECT_TRUE(std::equal(alone.top_p.begin(), alone.top_p.end(), among.top_p.begin() + row * 8));
  }
}

TEST_P(CandidatesTest, RefusesLogitsThatAreNotFinite) {
  for (const float broken : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Step step(600, 4, 2, 1);
    step.bias[550] = broken;
    step.Add(Rules(0), 0);
    step.Add(Rules(1), 1);
    try {
      Run(step);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.status(), SFUMATO_INTERNAL);
    }
  }
}

SFUMATO_FOR_ALL_BACKENDS(CandidatesTest);

/// Soft embeddings of a head that is not rounded, on backends that round what they multiply with it, too.
class SoftEmbeddingsTest : public OpTest {
 protected:
  static constexpr float kCap = 3;
  static constexpr float kScale = 2;

  /// Row row of the step's sequences of kCanvas rows.
  static constexpr int32_t kCanvas = 20;
  static void Add(Step& step, const CandidateRules& rules, int32_t row, int32_t guide = -1, int32_t token = -1) {
    step.Add(rules, row, guide, token);
    Sequence sequence;
    sequence.slot = row / kCanvas;
    sequence.first_row = row / kCanvas * kCanvas;
    step.layout.sequences.push_back(sequence);
    step.layout.candidates.back().first_of_row = token < 0;
  }

  /// A head as a file has it in BF16, or in F32; its numbers are the same.
  void Run(Step& step, bool stored_bfloat16, Floats& soft, Floats* logits = nullptr) {
    const auto backend = MakeBackend(GetParam(), 3);
    std::vector<uint16_t> bits;
    for (float& weight : step.weights) {
      bits.push_back(ToBfloat16(weight));
      weight = FromBfloat16(bits.back());
    }
    const std::vector<int64_t> shape = {step.vocabulary, step.hidden};
    const auto head = backend->PackExact(
        stored_bfloat16 ? TensorView{DataType::kBfloat16, shape, reinterpret_cast<const uint8_t*>(bits.data())}
                        : View(step.weights, shape));
    backend->ReserveCandidates(step.vocabulary, step.hidden);
    backend->ReserveSoftEmbeddings(step.hidden);
    OperandCopy states(*backend, step.states);
    const size_t count = step.layout.candidates.size();
    Results results(count, 0);
    if (logits != nullptr) logits->assign(count * static_cast<size_t>(step.vocabulary), 0);
    int32_t rows = 0;
    for (const CandidateRow& candidate : step.layout.candidates) rows = std::max(rows, candidate.row + 1);
    soft.assign(static_cast<size_t>((rows + kCanvas - 1) / kCanvas * kCanvas * step.hidden), -7);
    backend->Candidates({&step.layout,
                         states.get(),
                         head.get(),
                         step.bias.data(),
                         results.Outputs(),
                         logits == nullptr ? nullptr : logits->data(),
                         kCap,
                         {soft.data(), kCanvas, kScale}});
  }

  static double Capped(double logit) { return kCap * std::tanh(logit / kCap); }

  /// The candidate's mean, in double; suppressed and unconfident tokens belong to it.
  void ExpectMean(const Step& step, size_t candidate, const Floats& soft) {
    const CandidateRow& row = step.layout.candidates[candidate];
    const CandidateRules& rules = step.layout.rules[static_cast<size_t>(row.item)];
    const double temperature = rules.temperature > 0 ? double{rules.temperature} : 1.0;
    std::vector<double> logits = step.Logits(row.selected);
    std::vector<double> guide = row.guide < 0 ? logits : step.Logits(row.guide);
    for (size_t t = 0; t < logits.size(); ++t) {
      const double other = Capped(guide[t]);
      logits[t] = row.guide < 0 ? other : other + (rules.guidance_scale + 1.0) * (Capped(logits[t]) - other);
    }
    const double maximum = *std::max_element(logits.begin(), logits.end());
    double total = 0;
    std::vector<double> mean(static_cast<size_t>(step.hidden));
    std::vector<double> size(mean.size());
    for (size_t t = 0; t < logits.size(); ++t) {
      const double weight = std::exp((logits[t] - maximum) / temperature);
      total += weight;
      for (size_t k = 0; k < mean.size(); ++k) {
        const double part = kScale * weight * step.weights[t * mean.size() + k];
        mean[k] += part;
        size[k] += std::abs(part);
      }
    }
    // A weight is rounded to nine bits at worst, where products are.
    const double rounding = GetParam().rounds_to_bfloat16 ? 0x1p-9 : 0;
    for (size_t k = 0; k < mean.size(); ++k) {
      ASSERT_NEAR(soft[static_cast<size_t>(row.row) * mean.size() + k], mean[k] / total,
                  2e-5 + rounding * size[k] / total)
          << "candidate " << candidate << " number " << k;
    }
  }
};

TEST_P(SoftEmbeddingsTest, CapsLogitsAndMixesEmbeddings) {
  for (const bool stored_bfloat16 : {false, true}) {
    Step step(1100, 37, 40, 31);
    for (int32_t row = 0; row < 40; ++row) Add(step, Rules(0.5f, true), row);
    Floats soft;
    Floats logits;
    Run(step, stored_bfloat16, soft, &logits);
    for (size_t row = 0; row < 40; ++row) {
      const std::vector<double> expected = step.Logits(static_cast<int32_t>(row));
      for (size_t t = 0; t < expected.size(); ++t)
        ASSERT_NEAR(logits[row * expected.size() + t], Capped(expected[t]), 1e-5);
      ExpectMean(step, row, soft);
    }
  }
}

TEST_P(SoftEmbeddingsTest, WhereverTheGreatestLogitStands) {
  // More than one run of tokens, whatever a backend's run is.
  const int64_t vocabulary = 40000;
  using Bias = std::function<double(double)>;
  const std::vector<Bias> biases = {
      [](double t) { return t < 3 ? 9.0 : -4.0; },             // at the very start
      [](double t) { return t > 39990 ? 9.0 : -4.0; },         // at the end
      [](double t) { return -4 + 8 * t / 40000; },             // ever greater
      [](double t) { return t < 20000 ? -1000.0 : -1000.5; },  // far below zero all over
  };
  for (size_t which = 0; which < biases.size(); ++which) {
    SCOPED_TRACE(which);
    Step step(vocabulary, 19, 9, 5);
    for (int64_t t = 0; t < vocabulary; ++t)
      step.bias[static_cast<size_t>(t)] += static_cast<float>(biases[which](static_cast<double>(t)));
    int32_t row = 0;
    for (const float temperature : {0.0f, 0.02f, 0.7f}) {
      Add(step, Rules(temperature), row++);
      Add(step, Rules(temperature, true), row++);
      // Tokens that may not be chosen, or not be sure, are among what is mixed: the greatest ones here.
      CandidateRules listed = Rules(temperature);
      for (const int32_t token : {0, 1, 39998, 39999}) listed.suppressed[listed.suppressed_count++] = token;
      for (const int32_t token : {2, 39997}) listed.unconfident[listed.unconfident_count++] = token;
      Add(step, listed, row++);
    }
    Floats soft;
    Run(step, true, soft);
    for (size_t candidate = 0; candidate < 9; ++candidate) ExpectMean(step, candidate, soft);
  }
}

TEST_P(SoftEmbeddingsTest, ARowIsTheSameAloneAndAmongOthers) {
  for (const bool guided : {false, true}) {
    Step all(1100, 24, 320, 41);
    const auto add = [guided](Step& step, int32_t row) {
      CandidateRules rules = Rules(row % 3 == 0 ? 0.0f : 0.7f);
      rules.guidance_scale = 0.5f;
      Add(step, rules, row, guided && row % 2 == 0 ? 319 - row / 2 : -1);
    };
    for (int32_t row = 0; row < 300; ++row) add(all, row);
    Floats among;
    Run(all, true, among);
    for (const int32_t row : {0, 63, 64, 129, 255, 256, 299}) {
      ExpectMean(all, static_cast<size_t>(row), among);
      Step one = all;
      one.layout.rules.clear();
      one.layout.candidates.clear();
      one.layout.sequences.clear();
      add(one, row);
      Floats alone;
      Run(one, true, alone);
      EXPECT_TRUE(std::equal(alone.begin() + row * 24, alone.begin() + row * 24 + 24, among.begin() + row * 24)) << row;
    }
  }
}

TEST_P(SoftEmbeddingsTest, ARowHasThoseOfItsFirstCandidate) {
  Step step(600, 16, 2, 3);
  Add(step, Rules(1), 0);
  Add(step, Rules(0.1f), 0, -1, 5);
  Floats soft;
  Run(step, true, soft);
  ExpectMean(step, 0, soft);
  EXPECT_EQ(soft[16], -7);  // of row 1, which has no candidate
}

INSTANTIATE_TEST_SUITE_P(All, SoftEmbeddingsTest, testing::ValuesIn(TestedOperands()), BackendName);

}  // namespace
}  // namespace sfumato::test
