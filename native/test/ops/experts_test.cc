// The choice of experts, and the sum of what they say.
#include "ops/experts.h"

#include <numeric>

#include "ops/op_test.h"

namespace sfumato::test {
namespace {

/// Routing of some rows.
struct Routing {
  Routing(Backend& backend, const RouterRules& rules, const Floats& logits) : rules(rules) {
    const auto rows = static_cast<int64_t>(logits.size()) / rules.experts;
    const auto choices = static_cast<size_t>(rows * rules.chosen);
    experts.resize(choices);
    weights.resize(choices);
    places.resize(choices);
    rows_placed.resize(choices);
    ends.resize(static_cast<size_t>(rules.experts));
    backend.Route(
        {rules, logits.data(), rows, experts.data(), weights.data(), places.data(), rows_placed.data(), ends.data()});
  }

  RouterRules rules;
  std::vector<int32_t> experts;
  Floats weights;
  std::vector<int32_t> places;
  std::vector<int32_t> rows_placed;
  std::vector<int32_t> ends;
};

class ExpertsTest : public OpTest {
 protected:
  std::unique_ptr<Backend> backend_ = MakeBackend(GetParam());
};

RouterRules Rules(int64_t experts, int64_t chosen) {
  RouterRules rules;
  rules.experts = experts;
  rules.chosen = chosen;
  return rules;
}

TEST_P(ExpertsTest, SoftmaxOverAllAndNoRenormalization) {
  const float ln2 = std::log(2.0f);
  const Routing routing(*backend_, Rules(4, 2), {0, 2 * ln2, ln2, 0});  // 1/8, 4/8, 2/8, 1/8
  EXPECT_EQ(routing.experts, (std::vector<int32_t>{1, 2}));
  EXPECT_NEAR(routing.weights[0], 0.5f, 1e-6);
  EXPECT_NEAR(routing.weights[1], 0.25f, 1e-6);
}

TEST_P(ExpertsTest, NormalizedScaledAndByExpert) {
  const float ln2 = std::log(2.0f);
  RouterRules rules = Rules(4, 2);
  rules.normalized = true;
  rules.scale = 3;
  const Floats factors = {1, 10, 100, 1};
  rules.expert_scale = factors.data();
  const Routing routing(*backend_, rules, {0, 2 * ln2, ln2, 0});
  EXPECT_NEAR(routing.weights[0], 20.0f, 1e-4);
  EXPECT_NEAR(routing.weights[1], 100.0f, 1e-4);
}

TEST_P(ExpertsTest, ABiasChoosesAndWeighsOnlyWhereTheRulesSay) {
  RouterRules rules = Rules(3, 1);
  rules.score = RouterRules::Score::kSigmoid;
  const Floats bias = {0, 0, 0.5f};
  rules.bias = bias.data();
  const Routing choosing(*backend_, rules, {1, 0, 0});  // scores .73, .5, .5
  EXPECT_EQ(choosing.experts, (std::vector<int32_t>{2}));
  EXPECT_NEAR(choosing.weights[0], 0.5f, 1e-6);
  rules.bias_weighs = true;
  const Routing weighing(*backend_, rules, {1, 0, 0});
  EXPECT_NEAR(weighing.weights[0], 1.0f, 1e-6);
}

TEST_P(ExpertsTest, OnlyTheBestGroupsAreEligible) {
  RouterRules rules = Rules(6, 2);
  rules.score = RouterRules::Score::kSigmoid;
  rules.groups = 3;
  rules.chosen_groups = 1;
  // The best expert of all is in the group whose two are worse together.
  const Routing routing(*backend_, rules, {9, -9, 3, 3, 0, 0});
  EXPECT_EQ(routing.experts, (std::vector<int32_t>{2, 3}));
}

TEST_P(ExpertsTest, EqualsGoToTheFirstAndNotANumberToTheLast) {
  const Routing equals(*backend_, Rules(5, 3), {1, 1, 1, 1, 1});
  EXPECT_EQ(equals.experts, (std::vector<int32_t>{0, 1, 2}));
  RouterRules rules = Rules(3, 2);
  rules.score = RouterRules::Score::kSigmoid;
  const Routing nan(*backend_, rules, {std::nanf(""), -5, -6});
  EXPECT_EQ(nan.experts, (std::vector<int32_t>{1, 2}));
}

TEST_P(ExpertsTest, PlacesOfOneExpertLieTogetherInTheOrderOfRows) {
  const int64_t rows = 37;
  const Routing routing(*backend_, Rules(7, 3), RandomFloats(rows * 7, 1));
  int32_t start = 0;
  for (int32_t expert = 0; expert < 7; ++expert) {
    int32_t before = -1;
    for (int32_t place = start; place < routing.ends[static_cast<size_t>(expert)]; ++place) {
      const int32_t row = routing.rows_placed[static_cast<size_t>(place)];
      EXPECT_GT(row, before);
      before = row;
      bool found = false;
      for (int32_t i = row * 3; i < row * 3 + 3; ++i) {
        const auto at = static_cast<size_t>(i);
        found = found || (routing.experts[at] == expert && routing.places[at] == place);
      }
      EXPECT_TRUE(found) << expert << " " << place;
    }
    start = routing.ends[static_cast<size_t>(expert)];
  }
  EXPECT_EQ(start, rows * 3);
}

TEST_P(ExpertsTest, CombineAddsWhatWasWeighed) {
  const int64_t rows = 5;
  const int64_t width = 19;
  const Routing routing(*backend_, Rules(4, 2), RandomFloats(rows * 4, 2));
  const Floats input = RandomFloats(rows * 2 * width, 3);
  const Floats before = RandomFloats(rows * width, 4);
  Floats output = before;
  backend_->Combine({input.data(), routing.places.data(), routing.weights.data(), rows, 2, width, true, output.data()});
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < width; ++i) {
      double sum = before[static_cast<size_t>(row * width + i)];
      for (int64_t c = row * 2; c < row * 2 + 2; ++c) {
        const int64_t place = routing.places[static_cast<size_t>(c)];
        sum += double{routing.weights[static_cast<size_t>(c)]} * input[static_cast<size_t>(place * width + i)];
      }
      ASSERT_NEAR(output[static_cast<size_t>(row * width + i)], sum, 1e-5);
    }
  }
}

SFUMATO_FOR_ALL_BACKENDS(ExpertsTest);

}  // namespace
}  // namespace sfumato::test
