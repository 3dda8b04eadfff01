// Damaged files end in a message: truncations, flipped bits and edits of headers, in buffers of exactly their size, so
// that a sanitizer sees every read behind their end. SFUMATO_FUZZ_INPUTS sets their number; ci/fuzz asks for a million.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <random>

#include "base/error.h"
#include "io/json.h"
#include "io/safetensors.h"
#include "io/temporary_directory.h"
#include "sfumato_engine.h"

namespace sfumato::test {
namespace {

int64_t Inputs() {
  const char* wanted = std::getenv("SFUMATO_FUZZ_INPUTS");
  return wanted == nullptr ? 20'000 : std::atoll(wanted);
}

std::string ReadAll(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

/// A file as tools write it: several types, a shape of no dimensions and an empty one, metadata, padding of spaces.
std::string GoodFile() {
  return SafetensorsBytes(
      R"({"__metadata__":{"format":"pt"},"model.layers.0.w":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
      R"("b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},"c":{"dtype":"I64","shape":[1],"data_offsets":[22,30]},)"
      R"("d":{"dtype":"F16","shape":[1,1,1],"data_offsets":[30,32]},"e":{"dtype":"U8","shape":[],"data_offsets":[32,33]},)"
      R"("f":{"dtype":"F32","shape":[0,7],"data_offsets":[33,33]}}    )",
      33);
}

/// Changes bytes at random, most of them in the header.
class Mutator {
 public:
  explicit Mutator(std::string good) : good_(std::move(good)) {}

  std::string Next() {
    std::string bytes = good_;
    const int64_t edits = 1 + Draw(3);
    for (int64_t i = 0; i < edits; ++i) Edit(bytes);
    return bytes;
  }

 private:
  int64_t Draw(size_t count) { return static_cast<int64_t>(generator_() % count); }

  void Edit(std::string& bytes) {
    static const char* const kPieces[] = {"18446744073709551615",
                                          "9223372036854775807",
                                          "-1",
                                          "1e999",
                                          "[",
                                          "{",
                                          "\"",
                                          "null",
                                          "\"shape\":[4294967296,4294967296]",
                                          "[0,16]",
                                          "\\u0000",
                                          ",",
                                          "\xff"};
    if (bytes.empty()) return;
    const auto at = static_cast<size_t>(Draw(bytes.size()));
    switch (Draw(7)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << Draw(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(Draw(256));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(at, kPieces[Draw(std::size(kPieces))]);
        break;
      case 4:
        bytes.erase(at, static_cast<size_t>(1 + Draw(16)));
        break;
      case 5:
        bytes.insert(at, bytes.substr(static_cast<size_t>(Draw(bytes.size())), static_cast<size_t>(Draw(64))));
        break;
      default: {
        // The length of the header, often near the truth.
        uint64_t length = Draw(2) == 0 ? generator_() : bytes.size() - 8 - static_cast<uint64_t>(Draw(64));
        std::memcpy(bytes.data(), &length, std::min<size_t>(8, bytes.size()));
      }
    }
  }

  const std::string good_;
  std::mt19937_64 generator_{1};
};

struct Outcome {
  int64_t opened = 0;
  int64_t refused = 0;
};

/// Parses a copy of exactly that size and reads all that it is said to hold.
void Open(const std::string& bytes, Outcome& outcome) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[bytes.size()]);
  std::memcpy(copy.get(), bytes.data(), bytes.size());
  try {
    const SafetensorsContents contents = ParseSafetensors(copy.get(), bytes.size(), "file");
    for (const auto& [name, tensor] : contents.tensors) {
      std::vector<float> numbers(static_cast<size_t>(tensor.size()));
      ReadFloats(tensor, 0, tensor.size(), numbers.data());
    }
    ++outcome.opened;
  } catch (const Error& e) {
    EXPECT_EQ(e.status(), SFUMATO_DATA_LOSS) << e.what();
    EXPECT_NE(std::string(e.what()).find("(expected: "), std::string::npos) << e.what();
    ++outcome.refused;
  }
}

TEST(LoaderFuzzTest, EveryTruncationAndEveryFlippedBit) {
  const std::string good = GoodFile();
  Outcome outcome;
  Open(good, outcome);
  ASSERT_EQ(outcome.opened, 1);
  for (size_t size = 0; size < good.size(); ++size) Open(good.substr(0, size), outcome);
  EXPECT_EQ(outcome.opened, 1) << "a truncated file is never whole";
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bytes = good;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    Open(bytes, outcome);
  }
  EXPECT_GT(outcome.refused, static_cast<int64_t>(good.size()));
}

TEST(LoaderFuzzTest, ManyEditedHeaders) {
  Mutator mutator(GoodFile());
  Outcome outcome;
  const int64_t inputs = Inputs();
  for (int64_t i = 0; i < inputs; ++i) Open(mutator.Next(), outcome);
  std::printf("%lld inputs: %lld refused, %lld opened\n", static_cast<long long>(inputs),
              static_cast<long long>(outcome.refused), static_cast<long long>(outcome.opened));
  EXPECT_EQ(outcome.refused + outcome.opened, inputs);
  EXPECT_GT(outcome.refused, outcome.opened);
}

TEST(LoaderFuzzTest, ManyEditedJsonFiles) {
  Mutator mutator(ReadAll(std::string(SFUMATO_FIXTURES) + "/diffusion_gemma/config.json"));
  for (int64_t i = 0; i < Inputs() / 10; ++i) {
    try {
      ParseJsonObject(mutator.Next(), "config.json");
    } catch (const Error& e) {
      EXPECT_EQ(e.status(), SFUMATO_DATA_LOSS) << e.what();
    }
  }
}

// Through the C interface: whatever a config says, the engine opens or says why not.
TEST(LoaderFuzzTest, EditedConfigsOfEveryFamily) {
  for (const char* family :
       {"llada", "llada_moe", "llada2_moe", "dream", "a2d_qwen3", "sdar", "sdar_moe", "fast_dllm_v2", "bert_mlm",
        "modernbert_mlm", "diffusion_gemma", "nemotron_labs_diffusion"}) {
    const std::string fixture = std::string(SFUMATO_FIXTURES) + "/" + family;
    Mutator mutator(ReadAll(fixture + "/config.json"));
    const TemporaryDirectory directory;
    if (std::string(family) != "dream") directory.Write("model.safetensors", ReadAll(fixture + "/model.safetensors"));
    const std::string path = directory.path();
    for (int64_t i = 0; i < Inputs() / 2000; ++i) {
      directory.Write("config.json", mutator.Next());
      sfumato_options options;
      ASSERT_EQ(sfumato_default_options(&options), SFUMATO_OK);
      options.model_directory = path.c_str();
      options.max_batch_tokens = options.max_candidates = 64;
      options.threads = 1;
      sfumato_engine* engine = nullptr;
      const sfumato_status status = sfumato_open(&options, &engine);
      EXPECT_NE(status, SFUMATO_INTERNAL) << sfumato_last_error(nullptr);
      EXPECT_EQ(engine != nullptr, status == SFUMATO_OK);
      sfumato_close(engine);
    }
  }
}

}  // namespace
}  // namespace sfumato::test
