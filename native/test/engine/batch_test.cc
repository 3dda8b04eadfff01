// Steps of several items: each item's result is its own, bit for bit.
#include <algorithm>
#include <cmath>
#include <random>

#include "engine/test_engine.h"

namespace sfumato::test {
namespace {

struct ItemSpec {
  std::vector<int32_t> tokens;
  std::vector<int32_t> rows;
  int32_t first_position;
  float temperature;
  uint64_t seed;
  int32_t flags;
  int32_t top_count;
};

std::vector<ItemSpec> RandomItems(size_t count, int32_t vocabulary, uint32_t seed) {
  std::mt19937 generator(seed);
  const auto draw = [&generator](uint32_t limit) { return static_cast<int32_t>(generator() % limit); };
  std::vector<ItemSpec> items(count);
  for (ItemSpec& item : items) {
    const int32_t length = 1 + draw(90);
    for (int32_t i = 0; i < length; ++i) item.tokens.push_back(draw(static_cast<uint32_t>(vocabulary)));
    for (int32_t i = 0; i < length; ++i) {
      if (draw(3) != 0) item.rows.push_back(i);
    }
    item.first_position = draw(30);
    item.temperature = draw(2) == 0 ? 0.0f : 0.5f + 0.1f * static_cast<float>(draw(10));
    item.seed = generator();
    item.flags = draw(2);
    item.top_count = draw(6);
  }
  return items;
}

void Add(TestEngine& engine, const ItemSpec& spec) {
  sfumato_item& item = engine.Add(spec.tokens, &spec.rows);
  item.first_position = spec.first_position;
  item.temperature = spec.temperature;
  item.seed = spec.seed;
  item.flags = spec.flags;
  item.top_count = spec.top_count;
}

/// All outputs of some candidates as bytes.
std::string Outputs(TestEngine& engine, int32_t first, int32_t count) {
  const sfumato_buffers& b = engine.buffers();
  std::string bytes;
  const auto append = [&](const auto* array, int32_t width) {
    bytes.append(reinterpret_cast<const char*>(array + first * width),
                 sizeof(*array) * static_cast<size_t>(count * width));
  };
  append(b.sampled_token, 1);
  append(b.sampled_probability, 1);
  append(b.best_token, 1);
  append(b.best_probability, 1);
  append(b.second_probability, 1);
  append(b.entropy, 1);
  append(b.input_probability, 1);
  append(b.top_tokens, 5);
  append(b.top_probabilities, 5);
  return bytes;
}

class BatchTest
    : public testing::TestWithParam<std::tuple<std::string, sfumato_instruction_set, sfumato_product_type>> {};

TEST_P(BatchTest, AnItemIsTheSameAloneAndAmongOthers) {
  const auto& [name, instruction_set, products] = GetParam();
  TestEngine among(Fixture(name), 2, instruction_set, products);
  TestEngine single(Fixture(name), 1, instruction_set, products);
  const std::vector<ItemSpec> items = RandomItems(32, among.info().vocabulary, 3);
  for (const size_t mates : {1u, 7u, 31u}) {
    among.Clear();
    for (size_t i = 0; i <= mates; ++i) Add(among, items[i]);
    among.Run();
    int32_t first = 0;
    for (size_t i = 0; i <= mates; ++i) {
      const auto count = static_cast<int32_t>(items[i].rows.size());
      single.Clear();
      Add(single, items[i]);
      single.Run();
      ASSERT_EQ(Outputs(single, 0, count), Outputs(among, first, count))
          << "item " << i << " among " << mates << " others";
      first += count;
    }
  }
}

TEST_P(BatchTest, CandidatesDoNotDependOnWhichRowsAreWanted) {
  const auto& [name, instruction_set, products] = GetParam();
  TestEngine engine(Fixture(name), 2, instruction_set, products);
  std::vector<int32_t> tokens(77);
  for (size_t i = 0; i < tokens.size(); ++i) tokens[i] = static_cast<int32_t>(i * 3 % 200);
  engine.Clear();
  engine.Add(tokens).temperature = 1;
  const std::vector<float> all = engine.RunLogits();
  const std::vector<int32_t> rows = {3, 4, 40, 76};
  engine.Clear();
  engine.Add(tokens, &rows).temperature = 1;
  const std::vector<float> some = engine.RunLogits();
  const auto vocabulary = static_cast<size_t>(engine.info().vocabulary);
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t t = 0; t < vocabulary; ++t)
      ASSERT_EQ(some[i * vocabulary + t], all[static_cast<size_t>(rows[i]) * vocabulary + t]);
  }
}

TEST_P(BatchTest, GuidanceMixesTheRowsOfItsGuide) {
  const auto& [name, instruction_set, products] = GetParam();
  TestEngine engine(Fixture(name), 2, instruction_set, products);
  const auto vocabulary = static_cast<size_t>(engine.info().vocabulary);
  const std::vector<int32_t> own = {10, 20, 30, 40};
  const std::vector<int32_t> guide = {50, 50, 30, 40};
  engine.Clear();
  engine.Add(own);
  engine.Add(guide);
  const std::vector<float> logits = engine.RunLogits();
  const std::vector<int32_t> rows = {1, 3};
  const std::vector<int32_t> none;
  engine.Clear();
  engine.Add(guide, &none).slot = 0;
  sfumato_item& guided = engine.Add(own, &rows);
  guided.slot = 0;
  guided.guidance_item = 0;
  guided.guidance_scale = 2;
  engine.Run();
  for (size_t i = 0; i < rows.size(); ++i) {
    double best = -1e30;
    int32_t best_token = -1;
    std::vector<double> mixed(vocabulary);
    for (size_t t = 0; t < vocabulary; ++t) {
      const double c = logits[static_cast<size_t>(rows[i]) * vocabulary + t];
      const double u = logits[(4 + static_cast<size_t>(rows[i])) * vocabulary + t];
      mixed[t] = u + 3 * (c - u);
      if (mixed[t] > best) best = mixed[t], best_token = static_cast<int32_t>(t);
    }
    double sum = 0;
    for (const double z : mixed) sum += std::exp(z - best);
    EXPECT_EQ(engine.buffers().best_token[i], best_token);
    EXPECT_NEAR(engine.buffers().best_probability[i], 1 / sum, 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(All, BatchTest,
                         testing::Combine(testing::Values("llada", "llada_moe", "bert_mlm"),
                                          testing::ValuesIn(SupportedInstructionSets()),
                                          testing::Values(SFUMATO_PRODUCT_F32, SFUMATO_PRODUCT_INT8)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" + std::to_string(std::get<1>(info.param)) +
                                  (std::get<2>(info.param) == SFUMATO_PRODUCT_INT8 ? "_int8" : "");
                         });

}  // namespace
}  // namespace sfumato::test
