#include "io/safetensors.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "io/temporary_directory.h"

namespace sfumato {
namespace {

using test::SafetensorsBytes;
using test::TemporaryDirectory;

/// Opens a file of these bytes. Returns the error's message, empty when it opens.
std::string OpenError(const TemporaryDirectory& directory, const std::string& bytes,
                      sfumato_status expected = SFUMATO_DATA_LOSS) {
  const std::string path = directory.Write("file.safetensors", bytes);
  try {
    const SafetensorsFile file(path);
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.status(), expected) << e.what();
    std::string message = e.what();
    for (size_t at = message.find(path); at != std::string::npos; at = message.find(path))
      message.replace(at, path.size(), "FILE");
    return message;
  }
}

const char kGood[] =
    R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
    R"("b":{"dtype":"BF16","shape":[3],"data_offsets":[16,22]},"c":{"dtype":"I64","shape":[1],"data_offsets":[22,30]}})";

TEST(SafetensorsTest, ReadsTensorsAndConvertsThem) {
  const TemporaryDirectory directory;
  std::string bytes = SafetensorsBytes(kGood, 30);
  const float values[] = {1.5f, -2.0f, 0.0f, 1e-20f};
  bytes.replace(bytes.size() - 30, 16, reinterpret_cast<const char*>(values), 16);
  const uint16_t brains[] = {0x3f80, 0xc000, 0x3f00};
  bytes.replace(bytes.size() - 14, 6, reinterpret_cast<const char*>(brains), 6);
  const SafetensorsFile file(directory.Write("file.safetensors", bytes));

  ASSERT_EQ(file.tensors().size(), 2u);
  const TensorView& a = file.tensors().at("a");
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 2}));
  float row[2];
  ReadFloats(a, 2, 2, row);
  EXPECT_EQ(row[0], 0.0f);
  EXPECT_EQ(row[1], 1e-20f);
  float b[3];
  ReadFloats(file.tensors().at("b"), 0, 3, b);
  EXPECT_EQ(b[0], 1.0f);
  EXPECT_EQ(b[1], -2.0f);
  EXPECT_EQ(b[2], 0.5f);
  EXPECT_EQ(file.unreadable().at("c"), "I64");
}

TEST(SafetensorsTest, NamesEveryFaultyTensorAtOnce) {
  const TemporaryDirectory directory;
  const std::string message = OpenError(
      directory,
      SafetensorsBytes(
          R"({"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,99]},)"
          R"("c":{"dtype":"F32","shape":[3],"data_offsets":[0,8]},"d":{"dtype":"F32","shape":[-1],"data_offsets":[0]}})",
          8));
  EXPECT_EQ(message,
            "FILE a dtype: F31 (expected: a type of the safetensors format)\n"
            "FILE b data_offsets: 0..99 (expected: 0..8)\n"
            "FILE c length: 8 bytes (expected: 12 for its shape and dtype)\n"
            "FILE d shape: [-1] (expected: at most 8 dimensions of 0 or more)\n"
            "FILE d data_offsets: [0] (expected: two offsets)");
}

TEST(SafetensorsTest, RefusesGapsOverlapsAndLeftovers) {
  const TemporaryDirectory directory;
  const auto two = [](const char* a, const char* b) {
    return std::string(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)") + a +
           R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + b + "}}";
  };
  EXPECT_EQ(OpenError(directory, SafetensorsBytes(two("[0,4]", "[4,8]"), 8)), "");
  EXPECT_EQ(OpenError(directory, SafetensorsBytes(two("[4,8]", "[0,4]"), 8)), "");
  EXPECT_EQ(OpenError(directory, SafetensorsBytes(two("[0,4]", "[2,6]"), 6)), "FILE b data_offsets: 2 (expected: 4)");
  EXPECT_EQ(OpenError(directory, SafetensorsBytes(two("[0,4]", "[5,9]"), 9)), "FILE b data_offsets: 5 (expected: 4)");
  EXPECT_EQ(OpenError(directory, SafetensorsBytes(two("[0,4]", "[4,8]"), 9)),
            "FILE data: 9 bytes (expected: 8 that tensors fill)");
}

TEST(SafetensorsTest, RefusesNumbersThatOverflow) {
  const TemporaryDirectory directory;
  const auto with = [](const std::string& shape, const std::string& offsets) {
    return SafetensorsBytes(R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}", 8);
  };
  EXPECT_NE(OpenError(directory, with("[4611686018427387904,4]", "[0,8]")), "");
  EXPECT_NE(OpenError(directory, with("[9223372036854775808]", "[0,8]")), "");
  EXPECT_NE(OpenError(directory, with("[2]", "[18446744073709551608,18446744073709551615]")), "");
  EXPECT_NE(OpenError(directory, with("[2]", "[8,0]")), "");
  EXPECT_NE(OpenError(directory, with("[2.0]", "[0,8]")), "");
  EXPECT_NE(OpenError(directory, with("[1,1,1,1,1,1,1,1,2]", "[0,8]")), "");
}

TEST(SafetensorsTest, BoundsTheHeader) {
  const TemporaryDirectory directory;
  EXPECT_EQ(OpenError(directory, ""), "FILE: 0 bytes (expected: at least 8 bytes)");
  EXPECT_EQ(OpenError(directory, std::string(8, '\xff')), "FILE header length: 18446744073709551615 (expected: 2..0)");
  EXPECT_EQ(OpenError(directory, SafetensorsBytes("[]", 0)), "FILE header: array (expected: a JSON object)");
  EXPECT_EQ(OpenError(directory, SafetensorsBytes(R"({"a":{},"a":{}})", 0)),
            "FILE header: key \"a\" twice (expected: each key once)");
  std::string deep = R"({"a":)";
  for (int i = 0; i < 100000; ++i) deep += "[";
  EXPECT_EQ(OpenError(directory, SafetensorsBytes(deep, 0)),
            "FILE header: nested too deeply (expected: at most 16 levels)");
  EXPECT_NE(OpenError(directory, SafetensorsBytes("{\"\xff\xfe\":1}", 0)), "");
}

TEST(SafetensorsTest, SaysWhenThereIsNoFile) {
  const TemporaryDirectory directory;
  EXPECT_THROW(SafetensorsFile(directory.path() + "/none"), Error);
  EXPECT_THROW(SafetensorsFile(directory.path()), Error);
}

TEST(SafetensorsTest, NamesInMessagesArePrintable) {
  const TemporaryDirectory directory;
  EXPECT_EQ(
      OpenError(directory, SafetensorsBytes(R"({"a\u0000\u001bb":{"dtype":"F3","shape":[],"data_offsets":[0,4]}})", 4)),
      "FILE a\\x00\\x1bb dtype: F3 (expected: a type of the safetensors format)");
}

}  // namespace
}  // namespace sfumato
