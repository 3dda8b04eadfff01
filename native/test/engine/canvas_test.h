#ifndef SFUMATO_TEST_ENGINE_CANVAS_TEST_H_
#define SFUMATO_TEST_ENGINE_CANVAS_TEST_H_

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "engine/test_engine.h"
#include "io/safetensors.h"

namespace sfumato::test {

constexpr double kCanvasTolerance = 2e-4;
constexpr int32_t kCanvasPageTokens = 16;
constexpr int32_t kCanvasPages = 16;

inline sfumato_options CanvasOptions(const std::string& directory,
                                     sfumato_instruction_set instruction_set = SFUMATO_ISA_AUTO) {
  sfumato_options options;
  EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
  options.model_directory = directory.c_str();
  options.instruction_set = instruction_set;
  options.threads = 2;
  options.page_tokens = kCanvasPageTokens;
  options.max_pages = kCanvasPages;
  options.max_slots = 4;
  return options;
}

/// A fixture whose canvas lies over a causal context, in slot 1 and on pages 0, 1, ...
class CanvasTest : public testing::Test {
 protected:
  explicit CanvasTest(const std::string& name, sfumato_instruction_set instruction_set = SFUMATO_ISA_AUTO)
      : directory_(Fixture(name)), engine_(CanvasOptions(directory_, instruction_set)) {
    std::ifstream stream(directory_ + "/golden.json");
    golden_ = nlohmann::json::parse(stream);
    std::iota(engine_.buffers().pages, engine_.buffers().pages + kCanvasPages, 0);
  }

  const nlohmann::json& Case(const std::string& name) const {
    return *std::find_if(golden_["forward"].begin(), golden_["forward"].end(),
                         [&name](const nlohmann::json& c) { return c["name"] == name; });
  }

  /// Candidates of a DENOISE item are wanted for all rows unless rows are given, of the others for those alone.
  sfumato_item& Add(sfumato_item_kind kind, const std::vector<int32_t>& tokens, int32_t position,
                    const std::vector<int32_t>* rows = nullptr) {
    static const std::vector<int32_t> none;
    sfumato_item& item = engine_.Add(tokens, kind == SFUMATO_ITEM_DENOISE || rows != nullptr ? rows : &none);
    item.kind = kind;
    item.slot = 1;
    item.first_position = item.context_tokens = position;
    item.commit_tokens = kind == SFUMATO_ITEM_COMMIT ? item.token_count : 0;
    item.page_count = kCanvasPages;
    return item;
  }

  void Encode(const std::vector<int32_t>& tokens, int32_t position = 0) {
    engine_.Clear();
    Add(SFUMATO_ITEM_PREFILL, tokens, position);
    engine_.Run();
  }

  std::vector<float> Denoise(const std::vector<int32_t>& canvas, int32_t position, int32_t step, float temperature,
                             const std::vector<int32_t>* rows = nullptr) {
    engine_.Clear();
    sfumato_item& item = Add(SFUMATO_ITEM_DENOISE, canvas, position, rows);
    item.step = step;
    item.temperature = temperature;
    item.flags = temperature > 0 ? SFUMATO_FLAG_TEMPERED_PROBABILITIES : 0;
    return engine_.RunLogits();
  }

  void ExpectLogits(const nlohmann::json& c, const std::vector<float>& logits) {
    SCOPED_TRACE(c["name"].get<std::string>());
    const auto vocabulary = static_cast<size_t>(engine_.info().vocabulary);
    double sum = std::accumulate(logits.begin(), logits.end(), 0.0);
    EXPECT_NEAR(sum, c["logits_sum_f64"].get<double>(), 0.1);
    for (size_t row = 0; row < logits.size() / vocabulary; ++row) {
      const auto begin = logits.begin() + static_cast<int64_t>(row * vocabulary);
      if (c["top2_gap"][row].get<double>() > 1e-3) {
        EXPECT_EQ(std::max_element(begin, begin + static_cast<int64_t>(vocabulary)) - begin,
                  c["argmax"][row].get<int64_t>())
            << row;
      }
    }
    if (c["logits"].is_null()) return;
    const SafetensorsFile arrays(directory_ + "/golden.safetensors");
    const TensorView& expected = arrays.tensors().at(c["logits"].get<std::string>());
    std::vector<float> values(logits.size());
    ASSERT_EQ(expected.size(), static_cast<int64_t>(logits.size()));
    ReadFloats(expected, 0, expected.size(), values.data());
    double worst = 0;
    for (size_t i = 0; i < values.size(); ++i) worst = std::max<double>(worst, std::fabs(values[i] - logits[i]));
    EXPECT_LE(worst, kCanvasTolerance);
  }

  std::string directory_;
  TestEngine engine_;
  nlohmann::json golden_;
};

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_ENGINE_CANVAS_TEST_H_
