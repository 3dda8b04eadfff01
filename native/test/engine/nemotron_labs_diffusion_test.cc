// Nemotron-Labs-Diffusion through the C interface: the reference's forward cases in both kinds of attention, and whole
// decodings.
#include <algorithm>
#include <numeric>

#include "engine/canvas_test.h"
#include "io/temporary_directory.h"

namespace sfumato::test {
namespace {

const char* const kName = "nemotron_labs_diffusion";

std::vector<int32_t> Rows(size_t count) {
  std::vector<int32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

class NemotronForwardTest : public CanvasTest, public testing::WithParamInterface<sfumato_instruction_set> {
 protected:
  NemotronForwardTest() : CanvasTest(kName, GetParam()) {}
};

TEST_P(NemotronForwardTest, CausalRowsAndCanvasesMatchTheReference) {
  int causal = 0;
  for (const auto& c : golden_["forward"]) {
    const auto prompt = c["prompt_ids"].get<std::vector<int32_t>>();
    const auto canvas = c["canvas_ids"].get<std::vector<int32_t>>();
    if (canvas.empty()) {
      const std::vector<int32_t> rows = Rows(prompt.size());
      engine_.Clear();
      Add(SFUMATO_ITEM_PREFILL, prompt, 0, &rows);
      ExpectLogits(c, engine_.RunLogits());
      ++causal;
      continue;
    }
    if (!prompt.empty()) Encode(prompt);
    ExpectLogits(c, Denoise(canvas, static_cast<int32_t>(prompt.size()), 1, 0));
  }
  EXPECT_EQ(causal, 6);
  EXPECT_EQ(golden_["forward"].size(), 15);
}

INSTANTIATE_TEST_SUITE_P(All, NemotronForwardTest, testing::ValuesIn(SupportedInstructionSets()),
                         [](const auto& info) { return std::to_string(info.param); });

class NemotronTest : public CanvasTest {
 protected:
  NemotronTest() : CanvasTest(kName) {}

  /// Writes the tokens behind those before, and tells the most probable token after them.
  int32_t Continue(sfumato_item_kind kind, const std::vector<int32_t>& tokens, int32_t position) {
    const std::vector<int32_t> last = {static_cast<int32_t>(tokens.size()) - 1};
    engine_.Clear();
    Add(kind, tokens, position, &last);
    engine_.Run();
    return engine_.buffers().best_token[0];
  }
};

TEST_F(NemotronTest, TellsItsFacts) {
  EXPECT_STREQ(engine_.info().family, kName);
  EXPECT_EQ(engine_.info().attention, SFUMATO_ATTENTION_ENCODER_CANVAS);
  EXPECT_EQ(engine_.info().mask_token_id, 100);
  EXPECT_EQ(engine_.info().end_of_text_token_id, 11);
  EXPECT_EQ(engine_.info().block_length, 16);
  EXPECT_EQ(engine_.info().shifted_logits, 0);
}

TEST_F(NemotronTest, APromptInPartsIsThePromptWhole) {
  const auto prompt = Case("causal_80")["prompt_ids"].get<std::vector<int32_t>>();
  const std::vector<int32_t> canvas(16, 100);
  const int32_t next = Continue(SFUMATO_ITEM_PREFILL, prompt, 0);
  const std::vector<float> whole = Denoise(canvas, 80, 1, 0);
  Encode(std::vector<int32_t>(prompt.begin(), prompt.begin() + 33));
  EXPECT_EQ(next, Continue(SFUMATO_ITEM_COMMIT, std::vector<int32_t>(prompt.begin() + 33, prompt.end()), 33));
  EXPECT_EQ(whole, Denoise(canvas, 80, 1, 0));
}

TEST_F(NemotronTest, NoStepIsConditionedOnTheOneBefore) {
  const nlohmann::json& c = Case("half_masked_56");
  const auto canvas = c["canvas_ids"].get<std::vector<int32_t>>();
  Encode(c["prompt_ids"].get<std::vector<int32_t>>());
  const std::vector<float> first = Denoise(canvas, 56, 1, 0);
  EXPECT_EQ(first, Denoise(canvas, 56, 2, 0));
  // So the probabilities may be those of the model's own distribution at any temperature.
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, canvas, 56).temperature = 1;
  EXPECT_EQ(first, engine_.RunLogits());
}

/// Of the open places, all that are sure enough and the surest one; without a threshold that one alone.
std::vector<size_t> Accepted(const std::vector<size_t>& open, const float* probability,
                             const nlohmann::json& threshold) {
  const size_t best =
      *std::max_element(open.begin(), open.end(), [&](size_t a, size_t b) { return probability[a] < probability[b]; });
  std::vector<size_t> accepted;
  for (const size_t place : open) {
    if (place == best || (!threshold.is_null() && probability[place] >= threshold.get<float>()))
      accepted.push_back(place);
  }
  return accepted;
}

// Whole decodings by the rules of the reference's generate.
TEST_F(NemotronTest, DecodingsTakeTheRecordedCourse) {
  ASSERT_EQ(golden_["traces"].size(), 11);
  for (const auto& trace : golden_["traces"]) {
    SCOPED_TRACE(trace["name"].get<std::string>());
    const auto prompt = trace["prompt"].get<std::vector<int32_t>>();
    const auto block = trace["params"]["block_length"].get<size_t>();
    auto sequence = trace["canvases"][0].get<std::vector<int32_t>>();
    const auto tokens = [&sequence](size_t start, size_t end) {
      return std::vector<int32_t>(sequence.begin() + static_cast<int64_t>(start),
                                  sequence.begin() + static_cast<int64_t>(end));
    };
    size_t written = 0;
    for (size_t i = 0; i < trace["steps"].size(); ++i) {
      const size_t start = prompt.size() + trace["steps"][i]["block"].get<size_t>() * block;
      if (trace["steps"][i]["kind"] == "seed") {
        const sfumato_item_kind kind = written == 0 ? SFUMATO_ITEM_PREFILL : SFUMATO_ITEM_COMMIT;
        sequence[start] = Continue(kind, tokens(written, start), static_cast<int32_t>(written));
        written = start;
      } else {
        const std::vector<int32_t> canvas = tokens(start, start + block);
        Denoise(canvas, static_cast<int32_t>(start), 1, 0);
        std::vector<size_t> open;
        for (size_t place = 0; place < block; ++place) {
          if (canvas[place] == 100) open.push_back(place);
        }
        ASSERT_FALSE(open.empty());
        for (const size_t place : Accepted(open, engine_.buffers().best_probability, trace["params"]["threshold"]))
          sequence[start + place] = engine_.buffers().best_token[place];
      }
      ASSERT_EQ(sequence, trace["canvases"][i + 1].get<std::vector<int32_t>>()) << i;
    }
  }
}

TEST_F(NemotronTest, ItemsAreChecked) {
  const auto error = [this] {
    EXPECT_EQ(sfumato_plan(engine_.get(), 1), SFUMATO_INVALID_ARGUMENT);
    return engine_.error();
  };
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, std::vector<int32_t>(17, 5), 3);
  EXPECT_EQ(error(), "items[0].token_count: 17 (expected: 1..16)");
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, {1, 2}, 3).block_length = 4;
  EXPECT_EQ(error(), "items[0].block_length: 4 (expected: 0..0)");
}

TEST(NemotronConfigTest, RefusesWhatItDoesNotCompute) {
  const std::string fixture = Fixture(kName);
  const auto read = [&fixture](const std::string& name) {
    std::ifstream stream(fixture + "/" + name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const std::string good = read("config.json");
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string config = good;
    EXPECT_NE(config.find(from), std::string::npos) << from;
    config.replace(config.find(from), from.size(), to);
    const TemporaryDirectory directory;
    directory.Write("config.json", config);
    directory.Write("model.safetensors", read("model.safetensors"));
    const std::string path = directory.path();
    const sfumato_options options = CanvasOptions(path);
    sfumato_engine* engine = nullptr;
    EXPECT_NE(sfumato_open(&options, &engine), SFUMATO_OK);
    return std::string(sfumato_last_error(nullptr));
  };
  EXPECT_EQ(error("\"dlm_paradigm\": \"bidirectional\"", "\"dlm_paradigm\": \"autoregressive\""),
            "config.json dlm_paradigm: autoregressive (expected: bidirectional)");
  EXPECT_EQ(error("\"rope_type\": \"yarn\"", "\"rope_type\": \"linear\""),
            "config.json rope_parameters.rope_type: linear (expected: yarn)");
  EXPECT_EQ(error("\"tie_word_embeddings\": false", "\"tie_word_embeddings\": true"),
            "config.json tie_word_embeddings: true (expected: false)");
  EXPECT_EQ(error("\"sliding_window\": null", "\"sliding_window\": 32"),
            "config.json sliding_window: 32 (expected: null)");
  EXPECT_EQ(error("\"mask_token_id\": 100", "\"mask_token_id\": null"),
            "config.json mask_token_id: missing (expected: a value)");
  EXPECT_EQ(error("\"factor\": 4.0", "\"factor\": 0"),
            "config.json rope_parameters.factor: 0 (expected: 1e-06..1e+06)");
}

}  // namespace
}  // namespace sfumato::test
