#ifndef SFUMATO_TEST_ENGINE_FORWARD_ERROR_H_
#define SFUMATO_TEST_ENGINE_FORWARD_ERROR_H_

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include "engine/canvas_test.h"
#include "engine/test_engine.h"
#include "io/safetensors.h"

namespace sfumato::test {

/// A fixture whose logits with rounded products are held against the reference's.
struct ForwardCase {
  std::string fixture;
  /// Root mean square of the difference, in parts of the logits' own. Where experts are chosen, rounding changes a choice
  /// here and there.
  double tolerance;
  sfumato_product_type products = SFUMATO_PRODUCT_BF16;

  friend std::ostream& operator<<(std::ostream& stream, const ForwardCase& tested) { return stream << tested.fixture; }
};

inline void ExpectLogitsNearTheReference(const ForwardCase& tested) {
  const std::string directory = Fixture(tested.fixture);
  std::ifstream stream(directory + "/golden.json");
  const nlohmann::json golden = nlohmann::json::parse(stream);
  const SafetensorsFile arrays(directory + "/golden.safetensors");
  sfumato_options options;
  ASSERT_EQ(sfumato_default_options(&options), SFUMATO_OK);
  options.model_directory = directory.c_str();
  options.product_type = tested.products;
  options.threads = 1;
  TestEngine engine(options);
  int cases = 0;
  for (const auto& c : golden["forward"]) {
    if (c["logits"].is_null() || cases == 2) continue;
    SCOPED_TRACE(c["name"].get<std::string>());
    ++cases;
    engine.Clear();
    sfumato_item& item = engine.Add(c["input_ids"].get<std::vector<int32_t>>());
    item.block_length = c.value("block_length", 0);
    if (item.block_length > 0) item.block_offset = c.value("left_padding", 0) % item.block_length;
    const std::vector<float> logits = engine.RunLogits();
    const TensorView& expected = arrays.tensors().at(c["logits"].get<std::string>());
    ASSERT_EQ(expected.size(), static_cast<int64_t>(logits.size()));
    std::vector<float> values(logits.size());
    ReadFloats(expected, 0, expected.size(), values.data());
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      difference += std::pow(double{values[i]} - logits[i], 2);
      size += std::pow(double{values[i]}, 2);
    }
    testing::Test::RecordProperty("error_" + c["name"].get<std::string>(),
                                  std::to_string(std::sqrt(difference / size)));
    EXPECT_GT(difference, 0);
    EXPECT_LT(std::sqrt(difference / size), tested.tolerance);
  }
  EXPECT_GT(cases, 0);
}

/// Errors of logits beside those of products in F32, in parts of the logits' spread.
struct StepErrors {
  double all;
  std::vector<double> rows;  // in ascending order
};

/// Of DiffusionGemma's second step on a canvas, conditioned on embeddings mixed out of a head that no format rounds.
inline StepErrors ConditionedStepErrors(sfumato_product_type products) {
  const std::string directory = Fixture("diffusion_gemma");
  std::ifstream stream(directory + "/golden.json");
  const nlohmann::json golden = nlohmann::json::parse(stream);
  const auto& c = *std::find_if(golden["forward"].begin(), golden["forward"].end(),
                                [](const nlohmann::json& each) { return each["name"] == "sc_30_first"; });
  const auto prompt = c["prompt_ids"].get<std::vector<int32_t>>();
  const auto canvas = c["canvas_ids"].get<std::vector<int32_t>>();
  const auto second_step = [&](sfumato_product_type type) {
    sfumato_options options = CanvasOptions(directory);
    options.product_type = type;
    TestEngine engine(options);
    std::iota(engine.buffers().pages, engine.buffers().pages + kCanvasPages, 0);
    const std::vector<int32_t> none;
    engine.Add(prompt, &none).kind = SFUMATO_ITEM_PREFILL;
    engine.buffers().items[0].page_count = kCanvasPages;
    engine.Run();
    std::vector<float> logits;
    for (const int32_t step : {1, 2}) {
      engine.Clear();
      sfumato_item& item = engine.Add(canvas);
      item.first_position = item.context_tokens = static_cast<int32_t>(prompt.size());
      item.page_count = kCanvasPages;
      item.step = step;
      item.temperature = 0.75f;
      item.flags = SFUMATO_FLAG_TEMPERED_PROBABILITIES;
      logits = engine.RunLogits();
    }
    return logits;
  };
  const std::vector<float> expected = second_step(SFUMATO_PRODUCT_F32);
  const std::vector<float> logits = second_step(products);
  const double mean = std::accumulate(expected.begin(), expected.end(), 0.0) / static_cast<double>(expected.size());
  const size_t vocabulary = expected.size() / canvas.size();
  StepErrors errors = {0, {}};
  double whole_error = 0;
  double whole_spread = 0;
  for (size_t row = 0; row < canvas.size(); ++row) {
    double error = 0;
    double spread = 0;
    for (size_t i = row * vocabulary; i < (row + 1) * vocabulary; ++i) {
      error += std::pow(double{logits[i]} - expected[i], 2);
      spread += std::pow(expected[i] - mean, 2);
    }
    errors.rows.push_back(std::sqrt(error / spread));
    whole_error += error;
    whole_spread += spread;
  }
  std::sort(errors.rows.begin(), errors.rows.end());
  errors.all = std::sqrt(whole_error / whole_spread);
  return errors;
}

/// What errors may be where each product errs by so much and the same experts are chosen: twice what adds up at random over
/// two passes of 6 layers.
inline double ConditionedStepBound(double product) { return 2 * product * std::sqrt(2 * (1 + 7.0 * 6)); }

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_ENGINE_FORWARD_ERROR_H_
