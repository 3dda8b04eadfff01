// DiffusionGemma through the C interface: the reference's forward cases, its two forms of config, and whole decodings.
#include <fstream>
#include <numeric>

#include "engine/canvas_test.h"
#include "io/temporary_directory.h"

namespace sfumato::test {
namespace {

class EncoderCanvasTest : public CanvasTest {
 protected:
  EncoderCanvasTest() : CanvasTest("diffusion_gemma") {}
};

TEST_F(EncoderCanvasTest, ForwardCasesMatchTheReference) {
  int cases = 0;
  for (const auto& c : golden_["forward"]) {
    if (!c["self_conditioning_logits"].is_null()) continue;
    const auto prompt = c["prompt_ids"].get<std::vector<int32_t>>();
    Encode(prompt);
    ExpectLogits(c, Denoise(c["canvas_ids"].get<std::vector<int32_t>>(), static_cast<int32_t>(prompt.size()), 1, 0));
    ++cases;
  }
  EXPECT_EQ(cases, 13);
}

// The recorded conditioning is the first pass's logits over a temperature of .75.
TEST_F(EncoderCanvasTest, AStepIsConditionedOnWhatTheOneBeforePredicted) {
  for (const std::string name : {"sc_7", "sc_30"}) {
    const nlohmann::json& first = Case(name + "_first");
    const nlohmann::json& second = Case(name + "_second");
    const auto prompt = first["prompt_ids"].get<std::vector<int32_t>>();
    const auto position = static_cast<int32_t>(prompt.size());
    const auto canvas = second["canvas_ids"].get<std::vector<int32_t>>();
    Encode(prompt);
    Denoise(first["canvas_ids"].get<std::vector<int32_t>>(), position, 1, 0.75f);
    ExpectLogits(second, Denoise(canvas, position, 2, 0.75f));
    // Neither step 1 nor a slot that forgot is conditioned.
    const std::vector<float> alone = Denoise(canvas, position, 1, 0.75f);
    ASSERT_EQ(sfumato_reset_slot(engine_.get(), 1), SFUMATO_OK);
    EXPECT_EQ(alone, Denoise(canvas, position, 2, 0.75f));
    // The slot's state can be copied: slot 3 goes on as slot 1 would.
    Denoise(first["canvas_ids"].get<std::vector<int32_t>>(), position, 1, 0.75f);
    ASSERT_EQ(sfumato_copy_state(engine_.get(), 1, 3), SFUMATO_OK);
    const std::vector<float> on = Denoise(canvas, position, 2, 0.75f);
    engine_.Clear();
    sfumato_item& item = Add(SFUMATO_ITEM_DENOISE, canvas, position);
    item.slot = 3;
    item.step = 2;
    item.temperature = 0.75f;
    item.flags = SFUMATO_FLAG_TEMPERED_PROBABILITIES;
    EXPECT_EQ(on, engine_.RunLogits());
  }
}

TEST_F(EncoderCanvasTest, APromptInPartsIsThePromptWhole) {
  const nlohmann::json& c = Case("prompt_40");
  const auto prompt = c["prompt_ids"].get<std::vector<int32_t>>();
  const auto canvas = c["canvas_ids"].get<std::vector<int32_t>>();
  Encode(prompt);
  const std::vector<float> whole = Denoise(canvas, 40, 1, 0);
  Encode(std::vector<int32_t>(prompt.begin(), prompt.begin() + 23));
  engine_.Clear();
  Add(SFUMATO_ITEM_COMMIT, std::vector<int32_t>(prompt.begin() + 23, prompt.end()), 23);
  engine_.Run();
  EXPECT_EQ(whole, Denoise(canvas, 40, 1, 0));
}

TEST_F(EncoderCanvasTest, RowsWithoutACandidateAreConditionedOnTheirOwnToken) {
  const nlohmann::json& c = Case("sc_7_first");
  const auto prompt = c["prompt_ids"].get<std::vector<int32_t>>();
  auto canvas = c["canvas_ids"].get<std::vector<int32_t>>();
  std::vector<int32_t> open(15);
  std::iota(open.begin(), open.end(), 1);
  Encode(prompt);
  const auto second_step = [&](int32_t pinned) {
    Denoise(canvas, 7, 1, 0.5f);
    canvas[0] = pinned;
    return Denoise(canvas, 7, 2, 0.5f, &open);
  };
  const std::vector<float> one = second_step(11);
  EXPECT_NE(one, second_step(12));
  canvas = c["canvas_ids"].get<std::vector<int32_t>>();
  EXPECT_EQ(one, second_step(11));
}

TEST_F(EncoderCanvasTest, ARowThatIsAskedForAgainIsConditionedOnTheTokenThatItHeld) {
  const nlohmann::json& c = Case("sc_7_first");
  const auto prompt = c["prompt_ids"].get<std::vector<int32_t>>();
  auto canvas = c["canvas_ids"].get<std::vector<int32_t>>();
  std::vector<int32_t> open(15);
  std::iota(open.begin(), open.end(), 1);
  Encode(prompt);
  const auto second_step = [&] {
    Denoise(canvas, 7, 1, 0.5f, &open);
    return Denoise(canvas, 7, 2, 0.5f);
  };
  const std::vector<float> first = second_step();
  // Whatever the slot predicted before is gone.
  canvas[0] = (canvas[0] + 1) % 512;
  Denoise(canvas, 7, 1, 0.5f);
  canvas = c["canvas_ids"].get<std::vector<int32_t>>();
  EXPECT_EQ(first, second_step());
}

// Whole decodings by the rules of the reference: argmax for the draw, recorded noise for the random tokens.
TEST_F(EncoderCanvasTest, DecodingsTakeTheRecordedCourse) {
  const SafetensorsFile arrays(directory_ + "/golden.safetensors");
  for (const auto& trace : golden_["traces"]) {
    SCOPED_TRACE(trace["name"].get<std::string>());
    auto context = trace["prompt"].get<std::vector<int32_t>>();
    const auto& parameters = trace["params"];
    const double low = parameters["t_min"].get<double>();
    const double high = parameters["t_max"].get<double>();
    const auto steps = parameters["max_denoising_steps"].get<int32_t>();
    int32_t encoded = 0;
    for (const auto& recorded : trace["canvases"]) {
      Encode(std::vector<int32_t>(context.begin() + encoded, context.end()), encoded);
      encoded = static_cast<int32_t>(context.size());
      int32_t step = 0;
      std::vector<int32_t> best;
      for (const auto& pass : recorded) {
        ++step;
        const auto temperature =
            static_cast<float>(low + (high - low) * pass["cur_step"].get<double>() / static_cast<double>(steps));
        Denoise(pass["input_canvas"].get<std::vector<int32_t>>(), encoded, step, temperature);
        best.assign(engine_.buffers().best_token, engine_.buffers().best_token + 16);
        EXPECT_EQ(best, pass["argmax_canvas"].get<std::vector<int32_t>>()) << step;
        for (size_t i = 0; i < 16; ++i)
          EXPECT_NEAR(engine_.buffers().entropy[i], pass["entropy"][i].get<double>(), 5e-4) << step << " " << i;
      }
      context.insert(context.end(), best.begin(), best.end());
    }
  }
}

TEST_F(EncoderCanvasTest, ItemsAreChecked) {
  const auto error = [this] {
    EXPECT_EQ(sfumato_plan(engine_.get(), 1), SFUMATO_INVALID_ARGUMENT);
    return engine_.error();
  };
  const std::vector<int32_t> canvas(17, 5);
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, canvas, 3);
  EXPECT_EQ(error(), "items[0].token_count: 17 (expected: 1..16)");
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, {1, 2}, 3).first_position = 4;
  EXPECT_EQ(error(), "items[0].context_tokens: 3 (expected: 4..4)");
  engine_.Clear();
  Add(SFUMATO_ITEM_COMMIT, {1, 2}, 0).commit_tokens = 1;
  EXPECT_EQ(error(), "items[0].commit_tokens: 1 (expected: 2..2)");
  engine_.Clear();
  Add(SFUMATO_ITEM_DENOISE, {1, 2}, 3).temperature = 1;
  EXPECT_EQ(
      error(),
      "items[0].flags: 0 (expected: SFUMATO_FLAG_TEMPERED_PROBABILITIES, since the next step is conditioned on the "
      "tempered distribution)");
}

TEST(EncoderCanvasConfigTest, BothFormsOfTheConfigAreTheSameModel) {
  const std::string fixture = Fixture("diffusion_gemma");
  const auto read = [](const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const TemporaryDirectory directory;
  directory.Write("config.json", read(fixture + "/config_per_layer_form.json"));
  directory.Write("model.safetensors", read(fixture + "/model.safetensors"));
  TestEngine one(CanvasOptions(fixture));
  const std::string path = directory.path();
  TestEngine other(CanvasOptions(path));
  EXPECT_EQ(one.info().parameters, other.info().parameters);
  EXPECT_EQ(one.info().state_bytes, other.info().state_bytes);
}

}  // namespace
}  // namespace sfumato::test
