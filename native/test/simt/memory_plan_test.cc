// What an engine takes of a device's memory is known before it takes anything; and what becomes of an engine whose device
// fails.
#include <cstring>

#include "base/error.h"
#include "cuda/capability.h"
#include "engine/test_engine.h"
#include "simt/simt_device.h"

namespace sfumato::test {
namespace {

sfumato_options Options(const std::string& directory) {
  sfumato_options options;
  EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
  options.model_directory = directory.c_str();
  options.threads = 2;
  options.max_top_candidates = 3;
  return options;
}

class MemoryPlanTest : public testing::TestWithParam<std::string> {
 protected:
  static void ExpectThePlanHolds(const sfumato_options& options) {
    int64_t planned = 0;
    {
      TestEngine engine(options);
      planned = engine.info().device_bytes;
      EXPECT_GT(engine.info().page_bytes, 0);
      EXPECT_EQ(engine.info().device_free_bytes, SimtDevice::kFreeBytes);
      EXPECT_EQ(engine.info().device_total_bytes, SimtDevice::kTotalBytes);
      EXPECT_GE(planned, engine.info().weight_bytes + engine.info().page_bytes);
    }
    EXPECT_EQ(SimtDevice::last.reserved, planned);
    EXPECT_EQ(SimtDevice::last.allocated, planned);
  }
};

TEST_P(MemoryPlanTest, CountsWhatIsAllocated) {
  const std::string directory = Fixture(GetParam());
  sfumato_options options = Options(directory);
  options.max_pages = 40;
  options.approximate_cache = 1;
  ExpectThePlanHolds(options);
  if (GetParam() != "llada2_moe") return;
  for (const sfumato_product_type products : {SFUMATO_PRODUCT_FP8, SFUMATO_PRODUCT_INT4, SFUMATO_PRODUCT_FP8_INPUTS}) {
    options.product_type = products;
    ExpectThePlanHolds(options);
  }
}

INSTANTIATE_TEST_SUITE_P(All, MemoryPlanTest,
                         testing::Values("llada", "llada2_moe", "dream", "sdar_moe", "bert_mlm", "modernbert_mlm",
                                         "diffusion_gemma", "nemotron_labs_diffusion"),
                         [](const auto& info) { return info.param; });

TEST(MemoryPlanTest, WhatDoesNotFitIsRefusedPartByPart) {
  const std::string directory = Fixture("llada");
  sfumato_options options = Options(directory);
  options.max_batch_tokens = options.max_candidates = SFUMATO_MAX_BATCH_TOKENS;
  sfumato_engine* engine = nullptr;
  EXPECT_EQ(sfumato_open(&options, &engine), SFUMATO_RESOURCE_EXHAUSTED);
  const std::string error = sfumato_last_error(nullptr);
  EXPECT_EQ(error.find("GPU memory: "), 0u) << error;
  for (const char* part :
       {"MiB (weights 1, key-value pages 0, activations and slots ", ", work space of steps and",
        "(expected: at most 768 MiB, since 1024 of 2048 are free and the driver needs some; fewer"}) {
    EXPECT_NE(error.find(part), std::string::npos) << error;
  }
  EXPECT_EQ(SimtDevice::last.allocated, 0);
}

TEST(FailedDeviceTest, AnswersNothingAnyMore) {
  const std::string directory = Fixture("llada");
  sfumato_options options = Options(directory);
  TestEngine engine(options);
  engine.Add({5, 281, 17});
  engine.Run();
  SimtDevice::launches_left = 10;
  EXPECT_EQ(sfumato_run(engine.get()), SFUMATO_INTERNAL);
  EXPECT_LT(SimtDevice::launches_left, 0);
  const std::string first = engine.error();
  EXPECT_EQ(first, "CUDA: a fault for a test (expected: none)");
  // The device would work again; the engine's memory is not to be trusted.
  EXPECT_EQ(sfumato_run(engine.get()), SFUMATO_INTERNAL);
  EXPECT_EQ(engine.error(), first);
  EXPECT_EQ(sfumato_plan(engine.get(), 1), SFUMATO_INTERNAL);
  EXPECT_EQ(sfumato_reset_slot(engine.get(), 0), SFUMATO_INTERNAL);
  EXPECT_EQ(sfumato_get_info(engine.get(), &engine.info()), SFUMATO_INTERNAL);
  EXPECT_EQ(engine.error(), first);
  TestEngine another(options);
  another.Add({5, 281, 17});
  another.Run();
}

TEST(ProfileTest, TellsTheKernelsOfADevice) {
  const std::string directory = Fixture("llada");
  sfumato_options options = Options(directory);
  options.device_profile = 1;
  TestEngine engine(options);
  engine.Add({5, 281, 17});
  engine.Run();
  sfumato_profile_entry entries[64];
  int32_t count = 64;
  ASSERT_EQ(sfumato_profile(engine.get(), entries, &count, 1), SFUMATO_OK);
  int64_t products = 0;
  int64_t attention = 0;
  for (int32_t i = 0; i < count; ++i) {
    if (std::strcmp(entries[i].name, "product attention_projections") == 0) products = entries[i].calls;
    if (std::strcmp(entries[i].name, "attention") == 0) attention = entries[i].calls;
    EXPECT_EQ(entries[i].nanoseconds, 1000 * entries[i].calls);
  }
  EXPECT_EQ(attention, 3);
  EXPECT_EQ(products, 9);
  ASSERT_EQ(sfumato_profile(engine.get(), entries, &(count = 64), 0), SFUMATO_OK);
  EXPECT_EQ(count, 0);
}

TEST(CapabilityTest, CodeRunsOnTheGpusThatItIsFor) {
  const std::vector<std::string> some = {"sm_80", "sm_90a", "sm_120", "compute_120"};
  for (const int capability : {80, 86, 89, 90, 120, 121, 130}) EXPECT_NO_THROW(cuda::CheckCapability(capability, some));
  for (const int capability : {75, 100, 103, 110}) {
    EXPECT_THROW(cuda::CheckCapability(capability, some), Error) << capability;
  }
  try {
    cuda::CheckCapability(75, some);
  } catch (const Error& e) {
    EXPECT_EQ(e.status(), SFUMATO_FAILED_PRECONDITION);
    EXPECT_STREQ(e.what(),
                 "compute capability: 7.5 (expected: a GPU that runs code of sm_80, sm_90a, sm_120, compute_120)");
  }
}

TEST(CapabilityTest, Float8ProductsNeedCodeOfTheirOwn) {
  const std::vector<std::string> all = {"sm_80", "sm_90a", "sm_120", "compute_120", "sm_89"};
  for (const int capability : {89, 90, 120, 130}) EXPECT_NO_THROW(cuda::CheckFloat8Capability(capability, all));
  const auto message = [](int capability, const std::vector<std::string>& architectures) -> std::string {
    try {
      cuda::CheckFloat8Capability(capability, architectures);
    } catch (const Error& e) {
      EXPECT_EQ(e.status(), SFUMATO_FAILED_PRECONDITION);
      return e.what();
    }
    return "none";
  };
  EXPECT_EQ(message(86, all),
            "product_type: FP8_INPUTS with compute capability 8.6 (expected: a GPU that runs code of sm_90a, sm_120, "
            "compute_120, sm_89)");
  EXPECT_EQ(message(89, {"sm_80"}),
            "product_type: FP8_INPUTS with compute capability 8.9 (expected: a library with code of sm_89 or newer)");
}

}  // namespace
}  // namespace sfumato::test
