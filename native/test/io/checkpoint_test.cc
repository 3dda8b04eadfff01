#include "io/checkpoint.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/temporary_directory.h"

namespace sfumato {
namespace {

using test::SafetensorsBytes;
using test::TemporaryDirectory;

std::string One(const std::string& name) {
  return SafetensorsBytes(R"({")" + name + R"(":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
}

sfumato_status OpenStatus(const std::string& path, std::string& message) {
  try {
    const Checkpoint checkpoint(path);
    return SFUMATO_OK;
  } catch (const Error& e) {
    message = e.what();
    return e.status();
  }
}

TEST(CheckpointTest, ReadsShardsThroughTheirIndex) {
  const TemporaryDirectory directory;
  directory.Write("config.json", R"({"model_type":"x"})");
  directory.Write("model-1.safetensors", One("a"));
  directory.Write("model-2.safetensors", One("b"));
  directory.Write("model.safetensors.index.json",
                  R"({"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}})");
  const Checkpoint checkpoint(directory.path());
  ProblemList problems;
  EXPECT_NE(checkpoint.Find("a", {2}, problems).data, nullptr);
  EXPECT_NE(checkpoint.Find("b", {2}, problems).data, nullptr);
  EXPECT_TRUE(problems.empty());
  EXPECT_EQ(checkpoint.TensorNames(), (std::vector<std::string>{"a", "b"}));
  checkpoint.Find("b", {3}, problems);
  checkpoint.Find("c", {1, 2}, problems);
  try {
    problems.ThrowIfAny();
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "b: shape [2] (expected: [3])\nc: missing (expected: shape [1, 2])");
  }
}

TEST(CheckpointTest, RefusesATensorInTwoShards) {
  const TemporaryDirectory directory;
  directory.Write("config.json", "{}");
  directory.Write("1.safetensors", One("a"));
  directory.Write("2.safetensors", One("a"));
  directory.Write("model.safetensors.index.json", R"({"weight_map":{"a":"1.safetensors","b":"2.safetensors"}})");
  std::string message;
  EXPECT_EQ(OpenStatus(directory.path(), message), SFUMATO_DATA_LOSS);
  EXPECT_NE(message.find("in two shards"), std::string::npos) << message;
}

TEST(CheckpointTest, AnIndexCannotReachOutside) {
  for (const char* shard : {"../a.safetensors", "/etc/passwd", "..", "", "a/b"}) {
    const TemporaryDirectory directory;
    directory.Write("config.json", "{}");
    directory.Write("model.safetensors.index.json", R"({"weight_map":{"a":")" + std::string(shard) + R"("}})");
    std::string message;
    EXPECT_EQ(OpenStatus(directory.path(), message), SFUMATO_DATA_LOSS) << shard;
    EXPECT_NE(message.find("expected: a file name"), std::string::npos) << message;
  }
}

TEST(CheckpointTest, SaysWhatIsMissing) {
  const TemporaryDirectory directory;
  std::string message;
  EXPECT_EQ(OpenStatus(directory.path() + "/none", message), SFUMATO_NOT_FOUND);
  EXPECT_EQ(OpenStatus(directory.path(), message), SFUMATO_NOT_FOUND);
  EXPECT_NE(message.find("config.json"), std::string::npos);
  directory.Write("config.json", "{}");
  EXPECT_EQ(OpenStatus(directory.path(), message), SFUMATO_NOT_FOUND);
  EXPECT_NE(message.find("model.safetensors"), std::string::npos);
}

TEST(ConfigTest, ChecksTypesAndRanges) {
  const Config config(
      ParseJsonObject(R"({"n":3,"big":18446744073709551615,"x":0.5,"s":"t","b":true,"z":null,"l":["p"]})", "text"));
  EXPECT_EQ(config.Integer("n", 1, 3), 3);
  EXPECT_EQ(config.IntegerOr("z", 1, 3, 2), 2);
  EXPECT_EQ(config.Real("x", 0, 1), 0.5);
  EXPECT_EQ(config.Real("n", 0, 10), 3.0);
  EXPECT_EQ(config.FirstTextOf("l"), "p");
  EXPECT_EQ(config.FirstTextOf("none"), "");
  EXPECT_EQ(config.TokenOr("n", 10), 3);
  EXPECT_EQ(config.TokenOr("none", 10), -1);
  EXPECT_FALSE(config.Has("z"));
  const auto message = [](const auto& call) -> std::string {
    try {
      call();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message([&] { config.Integer("n", 4, 9); }), "config.json n: 3 (expected: 4..9)");
  EXPECT_EQ(message([&] { config.Integer("big", 0, 9); }), "config.json big: 18446744073709551615 (expected: 0..9)");
  EXPECT_EQ(message([&] { config.Integer("x", 0, 9); }), "config.json x: 0.5 (expected: 0..9)");
  EXPECT_EQ(message([&] { config.Integer("none", 0, 9); }), "config.json none: missing (expected: a value)");
  EXPECT_EQ(message([&] { config.Text("n"); }), "config.json n: 3 (expected: a string)");
  EXPECT_EQ(message([&] { config.BooleanOr("s", true); }), "config.json s: \"t\" (expected: true or false)");
  EXPECT_EQ(message([&] { config.RequireText("s", "u"); }), "config.json s: t (expected: u)");
  EXPECT_EQ(message([&] { config.RequireBoolean("b", false); }), "config.json b: true (expected: false)");
  EXPECT_EQ(message([&] { config.TokenOr("n", 3); }), "config.json n: 3 (expected: 0..2)");
}

}  // namespace
}  // namespace sfumato
