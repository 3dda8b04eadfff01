// Misuse of the C interface: every refusal names what is wrong and leaves the engine usable.
#include <cstring>
#include <functional>
#include <limits>

#include "engine/test_engine.h"
#include "io/temporary_directory.h"

namespace sfumato::test {
namespace {

sfumato_options SmallOptions(const std::string& directory) {
  sfumato_options options;
  EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
  options.model_directory = directory.c_str();
  options.threads = 1;
  options.max_slots = 3;
  options.max_items = 4;
  options.max_batch_tokens = 64;
  options.max_candidates = 32;
  options.max_top_candidates = 2;
  return options;
}

std::string OpenError(const sfumato_options& options, sfumato_status expected) {
  sfumato_engine* engine = nullptr;
  EXPECT_EQ(sfumato_open(&options, &engine), expected) << sfumato_last_error(nullptr);
  EXPECT_EQ(engine, nullptr);
  sfumato_close(engine);
  return sfumato_last_error(nullptr);
}

TEST(OpenTest, ChecksEveryOption) {
  const std::string directory = Fixture("llada");
  const auto error = [&](const std::function<void(sfumato_options&)>& change,
                         sfumato_status expected = SFUMATO_INVALID_ARGUMENT) {
    sfumato_options options = SmallOptions(directory);
    change(options);
    return OpenError(options, expected);
  };
  EXPECT_EQ(error([](auto& o) { o.struct_size = 8; }),
            "options.struct_size: 8 (expected: " + std::to_string(sizeof(sfumato_options)) + ")");
  EXPECT_EQ(error([](auto& o) { o.model_directory = nullptr; }), "model_directory: null (expected: a directory)");
  EXPECT_EQ(error([](auto& o) { o.model_directory = ""; }), "model_directory length: 0 (expected: 1..4096)");
  EXPECT_EQ(error([](auto& o) { o.threads = 257; }), "threads: 257 (expected: 0..256)");
  EXPECT_EQ(error([](auto& o) { o.product_type = 7; }), "product_type: 7 (expected: 0..6)");
  EXPECT_EQ(error([](auto& o) { o.instruction_set = -1; }), "instruction_set: -1 (expected: 0..3)");
  EXPECT_EQ(error([](auto& o) { o.max_slots = 0; }), "max_slots: 0 (expected: 1..65536)");
  EXPECT_EQ(error([](auto& o) { o.max_items = 1025; }), "max_items: 1025 (expected: 1..1024)");
  EXPECT_EQ(error([](auto& o) { o.max_batch_tokens = 0; }), "max_batch_tokens: 0 (expected: 1..1048576)");
  EXPECT_EQ(error([](auto& o) { o.max_candidates = 65; }), "max_candidates: 65 (expected: 1..64)");
  EXPECT_EQ(error([](auto& o) { o.page_tokens = 0; }), "page_tokens: 0 (expected: 1..1024)");
  EXPECT_EQ(error([](auto& o) { o.max_pages = -1; }), "max_pages: -1 (expected: 0..16777216)");
  EXPECT_EQ(error([](auto& o) { o.max_top_candidates = 9; }), "max_top_candidates: 9 (expected: 0..8)");
  EXPECT_EQ(error([](auto& o) { o.max_pages = 4; }, SFUMATO_FAILED_PRECONDITION),
            "max_pages: 4 (expected: 0, since family llada keeps no key-value cache but an approximate one)");
  EXPECT_EQ(error([](auto& o) { o.model_directory = "/nonexistent"; }, SFUMATO_NOT_FOUND),
            "model_directory: /nonexistent (expected: a directory)");
  EXPECT_EQ(sfumato_open(nullptr, nullptr), SFUMATO_INVALID_ARGUMENT);
  sfumato_engine* engine = nullptr;
  EXPECT_EQ(sfumato_open(nullptr, &engine), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_default_options(nullptr), SFUMATO_INVALID_ARGUMENT);
}

TEST(OpenTest, SaysWhatTheCpuCannotDo) {
  const std::string directory = Fixture("llada");
  sfumato_options options = SmallOptions(directory);
  options.instruction_set = SFUMATO_ISA_AVX2;
  options.product_type = SFUMATO_PRODUCT_BF16;
  EXPECT_NE(OpenError(options, SFUMATO_FAILED_PRECONDITION).find("product_type: BF16 (expected: F32"),
            std::string::npos);
  options.product_type = SFUMATO_PRODUCT_FP8;
  EXPECT_EQ(OpenError(options, SFUMATO_FAILED_PRECONDITION),
            "product_type: FP8 (expected: F32, BF16 or INT8, since CPUs have no kernels for it)");
  options.product_type = SFUMATO_PRODUCT_INT4;
  EXPECT_EQ(OpenError(options, SFUMATO_FAILED_PRECONDITION),
            "product_type: INT4 (expected: F32, BF16 or INT8, since CPUs have no kernels for it)");
  options.product_type = SFUMATO_PRODUCT_FP8_INPUTS;
  EXPECT_EQ(OpenError(options, SFUMATO_FAILED_PRECONDITION),
            "product_type: FP8_INPUTS (expected: F32, BF16 or INT8, since CPUs have no kernels for it)");
  if (SupportedInstructionSets().back() == SFUMATO_ISA_AVX512) return;
  options.product_type = SFUMATO_PRODUCT_AUTO;
  options.instruction_set = SFUMATO_ISA_AVX512;
  EXPECT_NE(
      OpenError(options, SFUMATO_FAILED_PRECONDITION).find("instruction_set: avx512 (expected: one that this CPU has"),
      std::string::npos);
}

TEST(OpenTest, NamesAllTensorsThatContradictTheConfig) {
  const TemporaryDirectory directory;
  std::string config = ReadAll(Fixture("llada") + "/config.json");
  const auto replace = [&config](const std::string& from, const std::string& to) {
    ASSERT_NE(config.find(from), std::string::npos);
    config.replace(config.find(from), from.size(), to);
  };
  replace("\"mlp_hidden_size\": 160", "\"mlp_hidden_size\": 128");
  replace("\"n_layers\": 3", "\"n_layers\": 2");
  directory.Write("config.json", config);
  directory.Write("model.safetensors", ReadAll(Fixture("llada") + "/model.safetensors"));
  const std::string path = directory.path();
  const std::string error = OpenError(SmallOptions(path), SFUMATO_DATA_LOSS);
  for (const char* expected :
       {"model.transformer.blocks.0.ff_proj.weight: shape [160, 64] (expected: [128, 64])",
        "model.transformer.blocks.0.ff_out.weight: shape [64, 160] (expected: [64, 128])",
        "model.transformer.blocks.1.up_proj.weight: shape [160, 64] (expected: [128, 64])",
        "model.transformer.blocks.2.q_proj.weight: in the file (expected: no tensor of that name by config.json)"}) {
    EXPECT_NE(error.find(expected), std::string::npos) << error;
  }
}

// A mixture would be every second layer, if the second were not named as a dense one.
TEST(OpenTest, SomeLayersOfAMixtureAreDense) {
  const TemporaryDirectory directory;
  std::string config = ReadAll(Fixture("sdar_moe") + "/config.json");
  const std::string from = "\"decoder_sparse_step\": 1";
  ASSERT_NE(config.find(from), std::string::npos);
  ASSERT_NE(config.find("\"mlp_only_layers\": [1]"), std::string::npos);
  directory.Write("config.json", config.replace(config.find(from), from.size(), "\"decoder_sparse_step\": 2"));
  directory.Write("model.safetensors", ReadAll(Fixture("sdar_moe") + "/model.safetensors"));
  const std::string path = directory.path();
  const std::string error = OpenError(SmallOptions(path), SFUMATO_DATA_LOSS);
  for (const char* expected :
       {"model.layers.0.mlp.gate_proj.weight: missing", "model.layers.2.mlp.gate_proj.weight: missing",
        "model.layers.0.mlp.experts.0.up_proj.weight: in the file (expected: no tensor of that name by config.json)"}) {
    EXPECT_NE(error.find(expected), std::string::npos) << error;
  }
  EXPECT_EQ(error.find("model.layers.1."), std::string::npos) << error;
}

TEST(OpenTest, RefusesFamiliesAndFeaturesThatItDoesNotHave) {
  const std::string good = ReadAll(Fixture("llada") + "/config.json");
  const auto error = [&](const std::string& from, const std::string& to, sfumato_status expected) {
    std::string config = good;
    config.replace(config.find(from), from.size(), to);
    const TemporaryDirectory directory;
    directory.Write("config.json", config);
    directory.Write("model.safetensors", ReadAll(Fixture("llada") + "/model.safetensors"));
    const std::string path = directory.path();
    return OpenError(SmallOptions(path), expected);
  };
  EXPECT_EQ(
      error("\"model_type\": \"llada\"", "\"model_type\": \"gpt2\"", SFUMATO_UNIMPLEMENTED),
      "config.json model_type: gpt2 with LLaDAModelLM (expected: llada with LLaDAModelLM, llada with LLaDAMoEModelLM, "
      "llada2_moe with LLaDA2MoeModelLM, Dream with DreamModel, a2d-qwen2 with A2DQwen2LMHeadModel, a2d-qwen3 with "
      "A2DQwen3LMHeadModel, sdar with SDARForCausalLM, sdar_moe with SDARMoeForCausalLM, Fast_dLLM_Qwen with "
      "Fast_dLLM_QwenForCausalLM, "
      "diffusion_gemma with DiffusionGemmaForBlockDiffusion, nemotron_labs_diffusion with NemotronLabsDiffusionModel, "
      "modernbert with ModernBertForMaskedLM, bert with BertForMaskedLM)");
  EXPECT_EQ(error("\"rope\": true", "\"rope\": false", SFUMATO_UNIMPLEMENTED),
            "config.json rope: false (expected: true)");
  EXPECT_EQ(error("\"n_heads\": 4", "\"n_heads\": 5", SFUMATO_DATA_LOSS),
            "config.json n_heads: 5 (expected: heads of an even size out of width 64)");
  EXPECT_EQ(error("\"n_layers\": 3", "\"n_layers\": 999999999", SFUMATO_DATA_LOSS),
            "config.json n_layers: 999999999 (expected: 1..1024)");
  EXPECT_EQ(error("\"mask_token_id\": 281", "\"mask_token_id\": 288", SFUMATO_DATA_LOSS),
            "config.json mask_token_id: 288 (expected: 0..287)");
}

TEST(OpenTest, EveryTruncationOfTheWeightsIsRefused) {
  const std::string bytes = ReadAll(Fixture("llada") + "/model.safetensors");
  const TemporaryDirectory directory;
  directory.Write("config.json", ReadAll(Fixture("llada") + "/config.json"));
  const std::string path = directory.path();
  for (size_t size = 0; size < bytes.size(); size += size < 5000 ? 97 : 50021) {
    directory.Write("model.safetensors", bytes.substr(0, size));
    OpenError(SmallOptions(path), SFUMATO_DATA_LOSS);
  }
}

TEST(CallsTest, NullPointersAndWrongSizesAreRefused) {
  EXPECT_EQ(sfumato_plan(nullptr, 0), SFUMATO_INVALID_ARGUMENT);
  EXPECT_STREQ(sfumato_last_error(nullptr), "engine: null (expected: an open engine)");
  EXPECT_EQ(sfumato_run(nullptr), SFUMATO_INVALID_ARGUMENT);
  sfumato_close(nullptr);
  TestEngine engine(Fixture("llada"));
  EXPECT_EQ(sfumato_get_info(engine.get(), nullptr), SFUMATO_INVALID_ARGUMENT);
  sfumato_info info = {};
  EXPECT_EQ(sfumato_get_info(engine.get(), &info), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(engine.error(), "info.struct_size: 0 (expected: " + std::to_string(sizeof(sfumato_info)) + ")");
  sfumato_buffers buffers = {};
  EXPECT_EQ(sfumato_get_buffers(engine.get(), &buffers), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_run_logits(engine.get(), nullptr, 0), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_profile(engine.get(), nullptr, nullptr, 0), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_copy_state(engine.get(), 0, 64), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_reset_slot(engine.get(), -1), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_copy_state(engine.get(), 0, 63), SFUMATO_OK);
  EXPECT_EQ(sfumato_reset_slot(engine.get(), 5), SFUMATO_OK);
  EXPECT_EQ(sfumato_run(engine.get()), SFUMATO_OK) << "a step without items does nothing";
}

TEST(CallsTest, InfoHasTheModelsFacts) {
  TestEngine engine(Fixture("llada"), 2);
  const sfumato_info& info = engine.info();
  EXPECT_STREQ(info.family, "llada");
  EXPECT_EQ(info.vocabulary, 288);
  EXPECT_EQ(info.hidden_size, 64);
  EXPECT_EQ(info.layers, 3);
  EXPECT_EQ(info.max_positions, 256);
  EXPECT_EQ(info.mask_token_id, 281);
  EXPECT_EQ(info.end_of_text_token_id, 271);
  EXPECT_EQ(info.pad_token_id, 271);
  EXPECT_EQ(info.attention, SFUMATO_ATTENTION_FULL);
  EXPECT_EQ(info.has_key_value_cache, 0);
  EXPECT_EQ(info.threads, 2);
  EXPECT_EQ(info.parameters, 665344 / 4);
  EXPECT_GT(info.weight_bytes, 665344);
  EXPECT_GT(info.state_bytes, 0);
}

class PlanTest : public testing::Test {
 protected:
  PlanTest() : directory_(Fixture("llada")), engine_(SmallOptions(directory_)) {
    engine_.Add({1, 2, 3});
    engine_.Add({4, 5, 6});
  }

  /// The refusal of a step whose first item was changed so; the same step without the change still runs afterwards.
  std::string Error(const std::function<void(sfumato_item&)>& change,
                    sfumato_status expected = SFUMATO_INVALID_ARGUMENT) {
    const sfumato_item before = engine_.buffers().items[0];
    change(engine_.buffers().items[0]);
    EXPECT_EQ(sfumato_plan(engine_.get(), 2), expected);
    std::string error = engine_.error();
    engine_.buffers().items[0] = before;
    engine_.Run();
    return error;
  }

  std::string directory_;
  TestEngine engine_;
};

TEST_F(PlanTest, ChecksEveryFieldOfAnItem) {
  constexpr int32_t kMax = std::numeric_limits<int32_t>::max();
  constexpr int32_t kMin = std::numeric_limits<int32_t>::min();
  EXPECT_EQ(Error([](auto& i) { i.kind = 3; }), "items[0].kind: 3 (expected: 0..2)");
  EXPECT_EQ(Error([](auto& i) { i.kind = SFUMATO_ITEM_PREFILL; }, SFUMATO_FAILED_PRECONDITION),
            "items[0].kind: PREFILL (expected: DENOISE, since family llada keeps no key-value cache)");
  EXPECT_EQ(Error([](auto& i) { i.kind = SFUMATO_ITEM_COMMIT; }, SFUMATO_FAILED_PRECONDITION),
            "items[0].kind: COMMIT (expected: DENOISE, since family llada keeps no key-value cache)");
  EXPECT_EQ(Error([](auto& i) { i.slot = 3; }), "items[0].slot: 3 (expected: 0..2)");
  EXPECT_EQ(Error([](auto& i) { i.slot = 1; }), "items[1].slot: 1 (expected: a slot of one item only)");
  EXPECT_EQ(Error([](auto& i) { i.token_count = 0; }), "items[0].token_count: 0 (expected: 1..64)");
  EXPECT_EQ(Error([](auto& i) { i.token_count = kMax; }), "items[0].token_count: 2147483647 (expected: 1..64)");
  EXPECT_EQ(Error([](auto& i) { i.token_count = 62; }), "tokens of all items: 65 (expected: 0..64)");
  EXPECT_EQ(Error([](auto& i) { i.token_offset = 62; }), "items[0].token_offset: 62 (expected: 0..61)");
  EXPECT_EQ(Error([](auto& i) { i.token_offset = kMin; }), "items[0].token_offset: -2147483648 (expected: 0..61)");
  EXPECT_EQ(Error([](auto& i) { i.first_position = 254; }), "items[0].first_position: 254 (expected: 0..253)");
  EXPECT_EQ(Error([](auto& i) { i.first_position = kMax; }), "items[0].first_position: 2147483647 (expected: 0..253)");
  EXPECT_EQ(Error([](auto& i) { i.candidate_count = 33; }), "items[0].candidate_count: 33 (expected: 0..32)");
  EXPECT_EQ(Error([](auto& i) { i.candidate_count = -1; }), "items[0].candidate_count: -1 (expected: 0..32)");
  EXPECT_EQ(Error([](auto& i) { i.candidate_offset = kMax; }),
            "items[0].candidate_offset: 2147483647 (expected: 0..29)");
  EXPECT_EQ(Error([](auto& i) { i.candidate_count = 4; }), "candidate_rows[3]: 0 (expected: 3..2)");
  EXPECT_EQ(Error([](auto& i) { i.candidate_offset = 3; }),
            "items[1].candidate_offset: 3 (expected: candidate rows that no other item has)");
  EXPECT_EQ(Error([](auto& i) { i.context_tokens = 1; }), "items[0].context_tokens: 1 (expected: 0..0)");
  EXPECT_EQ(Error([](auto& i) { i.page_count = 1; }), "items[0].page_count: 1 (expected: 0..0)");
  EXPECT_EQ(Error([](auto& i) { i.block = -1; }), "items[0].block: -1 (expected: 0..2147483647)");
  EXPECT_EQ(Error([](auto& i) { i.step = 0; }), "items[0].step: 0 (expected: 1..2147483647)");
  EXPECT_EQ(Error([](auto& i) { i.temperature = 1e-4f; }), "items[0].temperature: 0.0001 (expected: 0 or 0.001..1000)");
  EXPECT_EQ(Error([](auto& i) { i.temperature = -1; }), "items[0].temperature: -1 (expected: 0 or 0.001..1000)");
  EXPECT_EQ(Error([](auto& i) { i.temperature = std::numeric_limits<float>::quiet_NaN(); }),
            "items[0].temperature: nan (expected: 0 or 0.001..1000)");
  EXPECT_EQ(Error([](auto& i) { i.flags = 4; }), "items[0].flags: 4 (expected: 0..3)");
  EXPECT_EQ(Error([](auto& i) { i.flags = SFUMATO_FLAG_SHIFTED_LOGITS, i.first_position = 1; }),
            "candidate_rows[0]: 0 (expected: 1..2)");
  EXPECT_EQ(Error([](auto& i) { i.block_length = 4; }), "items[0].block_length: 4 (expected: 0..0)");
  EXPECT_EQ(Error([](auto& i) { i.block_offset = 1; }), "items[0].block_offset: 1 (expected: 0..0)");
  EXPECT_EQ(Error([](auto& i) { i.commit_tokens = 1; }), "items[0].commit_tokens: 1 (expected: 0..0)");
  EXPECT_EQ(Error([](auto& i) { i.top_count = 3; }), "items[0].top_count: 3 (expected: 0..2)");
  EXPECT_EQ(Error([](auto& i) { i.suppressed_count = 17; }), "items[0].suppressed_count: 17 (expected: 0..16)");
  EXPECT_EQ(Error([](auto& i) { i.unconfident_count = -1; }), "items[0].unconfident_count: -1 (expected: 0..16)");
  EXPECT_EQ(Error([](auto& i) { i.suppressed_count = 1, i.suppressed_offset = 128; }),
            "items[0].suppressed_offset: 128 (expected: 0..127)");
  EXPECT_EQ(Error([](auto& i) { i.guidance_item = 2; }), "items[0].guidance_item: 2 (expected: -1..1)");
  EXPECT_EQ(Error([](auto& i) { i.guidance_item = 0; }),
            "items[0].guidance_item: 0 (expected: another DENOISE item of 3 tokens and the same blocks without "
            "guidance, for a DENOISE item)");
  EXPECT_EQ(Error([](auto& i) { i.guidance_item = 1, i.guidance_scale = std::numeric_limits<float>::infinity(); }),
            "items[0].guidance_scale: inf (expected: -10000..10000)");
}

TEST_F(PlanTest, ChecksWhatItemsReferTo) {
  sfumato_buffers& buffers = engine_.buffers();
  EXPECT_EQ(sfumato_plan(engine_.get(), 5), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(engine_.error(), "item_count: 5 (expected: 0..4)");
  EXPECT_EQ(sfumato_plan(engine_.get(), -1), SFUMATO_INVALID_ARGUMENT);
  buffers.tokens[4] = 288;
  EXPECT_EQ(sfumato_plan(engine_.get(), 2), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(engine_.error(), "tokens[4]: 288 (expected: 0..287)");
  buffers.tokens[4] = 5;
  buffers.candidate_rows[1] = 0;
  EXPECT_EQ(sfumato_plan(engine_.get(), 2), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(engine_.error(), "candidate_rows[1]: 0 (expected: 1..2)");
  buffers.candidate_tokens[1] = 7;
  EXPECT_EQ(sfumato_plan(engine_.get(), 2), SFUMATO_OK);
  buffers.candidate_tokens[1] = 288;
  EXPECT_EQ(sfumato_plan(engine_.get(), 2), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(engine_.error(), "candidate_tokens[1]: 288 (expected: -1..287)");
  buffers.candidate_tokens[1] = -1;
  buffers.candidate_rows[1] = 1;
  buffers.token_lists[0] = -1;
  EXPECT_EQ(Error([](auto& i) { i.suppressed_count = 1; }), "items[0].suppressed[0]: -1 (expected: 0..287)");
}

TEST_F(PlanTest, TheLastPlanStaysAfterARefusal) {
  engine_.Run();
  const std::vector<float> before(engine_.buffers().entropy, engine_.buffers().entropy + 6);
  engine_.buffers().items[0].kind = 9;
  EXPECT_EQ(sfumato_plan(engine_.get(), 2), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_run(engine_.get()), SFUMATO_OK);
  EXPECT_EQ(before, std::vector<float>(engine_.buffers().entropy, engine_.buffers().entropy + 6));
}

TEST_F(PlanTest, WhatTheCallerWritesAfterAPlanCannotReachOutside) {
  ASSERT_EQ(sfumato_plan(engine_.get(), 2), SFUMATO_OK);
  std::memset(engine_.buffers().items, 0x7f, 4 * sizeof(sfumato_item));
  std::memset(engine_.buffers().candidate_rows, 0x7f, 32 * sizeof(int32_t));
  std::memset(engine_.buffers().token_lists, 0x7f, 128 * sizeof(int32_t));
  EXPECT_EQ(sfumato_run(engine_.get()), SFUMATO_OK);
  std::memset(engine_.buffers().tokens, 0x7f, 64 * sizeof(int32_t));
  EXPECT_EQ(sfumato_run(engine_.get()), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(engine_.error(), "tokens[0]: 2139062143 (expected: 0..287)");
}

TEST_F(PlanTest, OnePlanRunsWithOtherTokens) {
  ASSERT_EQ(sfumato_plan(engine_.get(), 2), SFUMATO_OK);
  ASSERT_EQ(sfumato_run(engine_.get()), SFUMATO_OK);
  const float before = engine_.buffers().entropy[0];
  engine_.buffers().tokens[1] = 200;
  ASSERT_EQ(sfumato_run(engine_.get()), SFUMATO_OK);
  const float after = engine_.buffers().entropy[0];
  EXPECT_NE(before, after);
  engine_.Run();
  EXPECT_EQ(engine_.buffers().entropy[0], after);
}

TEST_F(PlanTest, LogitsNeedRoom) {
  ASSERT_EQ(sfumato_plan(engine_.get(), 2), SFUMATO_OK);
  std::vector<float> logits(6 * 288);
  EXPECT_EQ(sfumato_run_logits(engine_.get(), logits.data(), logits.size() - 1), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(engine_.error(), "capacity: 1727 (expected: 1728 or more)");
  EXPECT_EQ(sfumato_run_logits(engine_.get(), logits.data(), logits.size()), SFUMATO_OK);
}

TEST_F(PlanTest, ProfileCountsTheParts) {
  engine_.Run();
  sfumato_profile_entry entries[32];
  int32_t count = 32;
  ASSERT_EQ(sfumato_profile(engine_.get(), entries, &count, 1), SFUMATO_OK);
  ASSERT_GT(count, 5);
  bool attention = false;
  for (int32_t i = 0; i < count; ++i) {
    EXPECT_GT(entries[i].calls, 0);
    if (std::string(entries[i].name) == "attention") {
      attention = true;
      EXPECT_EQ(entries[i].calls, 3);
      EXPECT_EQ(entries[i].operations, 3 * 2 * 4 * 3 * 3 * 64);
    }
  }
  EXPECT_TRUE(attention);
  count = 32;
  ASSERT_EQ(sfumato_profile(engine_.get(), entries, &count, 0), SFUMATO_OK);
  EXPECT_EQ(count, 0);
}

}  // namespace
}  // namespace sfumato::test
