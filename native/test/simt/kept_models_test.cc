// Whole models with weights in FP8 and 4 bits, and inputs in FP8, beside BF16 products of the weights as they are kept, and
// of inputs that are rounded before.
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cuda/cuda_backend.h"
#include "engine/test_engine.h"
#include "kept_weights.h"
#include "simt/simt_device.h"

namespace sfumato::test {
namespace {

struct Tested {
  const char* fixture;
  sfumato_product_type products;

  friend std::ostream& operator<<(std::ostream& stream, const Tested& tested) { return stream << tested.fixture; }
};

class KeptModelsTest : public testing::TestWithParam<Tested> {
 protected:
  /// The fixture with its weights as they are kept, in a directory of its own.
  static std::string Kept() {
    const std::string name = testing::UnitTest::GetInstance()->current_test_info()->name();
    const std::filesystem::path directory =
        std::filesystem::path(testing::TempDir()) / ("kept_" + name.substr(name.rfind('/') + 1));
    std::filesystem::create_directories(directory);
    bench::PackingNotes<cuda::CudaBackend> backend(std::make_unique<SimtDevice>(), cuda::Precision::kBfloat16, 1,
                                                   BackendLimits{16, 16, 0});
    const cuda::WeightFormat format =
        GetParam().products == SFUMATO_PRODUCT_INT4 ? cuda::WeightFormat::kInt4 : cuda::WeightFormat::kFp8;
    bench::WriteKeptCheckpoint(Fixture(GetParam().fixture), format, {}, backend, directory);
    return directory;
  }

  static std::vector<float> Logits(const std::string& directory, sfumato_product_type products) {
    sfumato_options options;
    EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
    options.model_directory = directory.c_str();
    options.threads = 1;
    options.product_type = products;
    // For what SFUMATO_TEST_ROUNDED_INPUTS means.
    options.device_profile = GetParam().products == SFUMATO_PRODUCT_FP8_INPUTS ? 1 : 0;
    const bool canvas = std::string(GetParam().fixture) == "diffusion_gemma";
    options.max_pages = canvas ? 4 : 0;
    TestEngine engine(options);
    const std::vector<int32_t> tokens = {5, 9, 3, 7, 11, 3, 3, 8, 20, 3, 4, 31};
    std::vector<float> logits;
    // The second step of a canvas is conditioned on the first.
    for (int32_t step = 1; step <= (canvas ? 2 : 1); ++step) {
      engine.Clear();
      sfumato_item& item = engine.Add(tokens);
      item.block_length = engine.info().attention == SFUMATO_ATTENTION_BLOCK_CAUSAL ? 4 : 0;
      item.step = step;
      logits = engine.RunLogits();
    }
    return logits;
  }
};

TEST_P(KeptModelsTest, LogitsAreThoseOfBfloat16WithTheKeptWeights) {
  const std::string kept = Kept();
  const std::vector<float> logits = Logits(Fixture(GetParam().fixture), GetParam().products);
  const auto error = [&](const std::vector<float>& others) {
    double difference = 0;
    double size = 0;
    for (size_t i = 0; i < logits.size(); ++i) {
      difference += std::pow(double{others[i]} - logits[i], 2);
      size += std::pow(double{others[i]}, 2);
    }
    return std::sqrt(difference / size);
  };
  // Sums begin and end elsewhere.
  if (GetParam().products == SFUMATO_PRODUCT_FP8_INPUTS) setenv("SFUMATO_TEST_ROUNDED_INPUTS", "1", 1);
  const double beside_kept = error(Logits(kept, SFUMATO_PRODUCT_BF16));
  unsetenv("SFUMATO_TEST_ROUNDED_INPUTS");
  if (GetParam().products == SFUMATO_PRODUCT_FP8_INPUTS) {
    // Rounded weights alone are another model.
    EXPECT_GT(error(Logits(kept, SFUMATO_PRODUCT_BF16)), 2 * beside_kept);
  }
  const double beside_own = error(Logits(Fixture(GetParam().fixture), SFUMATO_PRODUCT_BF16));
  RecordProperty("beside_kept", std::to_string(beside_kept));
  EXPECT_LT(beside_kept, 0.005);
  EXPECT_GT(beside_own, 2 * beside_kept);
}

INSTANTIATE_TEST_SUITE_P(
    All, KeptModelsTest,
    testing::Values(Tested{"llada", SFUMATO_PRODUCT_FP8}, Tested{"llada", SFUMATO_PRODUCT_INT4},
                    Tested{"llada2_moe", SFUMATO_PRODUCT_FP8}, Tested{"llada2_moe", SFUMATO_PRODUCT_INT4},
                    Tested{"diffusion_gemma", SFUMATO_PRODUCT_FP8}, Tested{"diffusion_gemma", SFUMATO_PRODUCT_INT4},
                    Tested{"llada", SFUMATO_PRODUCT_FP8_INPUTS}, Tested{"llada2_moe", SFUMATO_PRODUCT_FP8_INPUTS},
                    Tested{"diffusion_gemma", SFUMATO_PRODUCT_FP8_INPUTS}),
    [](const auto& info) {
      return std::string(info.param.fixture) + (info.param.products == SFUMATO_PRODUCT_FP8    ? "_fp8"
                                                : info.param.products == SFUMATO_PRODUCT_INT4 ? "_int4"
                                                                                              : "_fp8_inputs");
    });

}  // namespace
}  // namespace sfumato::test
