#ifndef SFUMATO_TEST_ENGINE_FORWARD_ERROR_H_
#define SFUMATO_TEST_ENGINE_FORWARD_ERROR_H_

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

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
    EXPECT_GT(difference, 0);
    EXPECT_LT(std::sqrt(difference / size), tested.tolerance);
  }
  EXPECT_GT(cases, 0);
}

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_ENGINE_FORWARD_ERROR_H_
