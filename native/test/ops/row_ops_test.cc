// Norms, rotary positions, embeddings and gathers.
#include "ops/op_test.h"

namespace sfumato::test {
namespace {

class RowOpsTest : public OpTest {};

TEST_P(RowOpsTest, RmsNormOfLiteralNumbers) {
  const auto backend = MakeBackend(GetParam());
  const Floats input = {3, -4, 0, 0, 1, 1, 1, 1};  // [2, 4], mean squares 6.25 and 1
  const Floats weight = {1, 1, 2, 0.5};
  Floats output(8);
  backend->RmsNorm({input.data(), 2, 4, weight.data(), nullptr, 0.0f, output.data()});
  EXPECT_EQ(output, (Floats{1.2f, -1.6f, 0, 0, 1, 1, 2, 0.5}));
}

TEST_P(RowOpsTest, LayerNormOfLiteralNumbers) {
  const auto backend = MakeBackend(GetParam());
  const Floats input = {1, 3, 1, 3};
  const Floats weight = {1, 1, 2, 2};
  const Floats bias = {0, 0, 10, 10};
  Floats output(4);
  backend->LayerNorm({input.data(), 1, 4, weight.data(), bias.data(), 0.0f, output.data()});
  EXPECT_EQ(output, (Floats{-1, 1, 8, 12}));
}

TEST_P(RowOpsTest, NormsMatchADoubleReference) {
  const auto backend = MakeBackend(GetParam());
  for (const int64_t width : {1, 7, 64, 100, 192, 768}) {
    const int64_t rows = 5;
    const Floats input = RandomFloats(rows * width, 1, 3.0f);
    const Floats weight = RandomFloats(width, 2);
    const Floats bias = RandomFloats(width, 3);
    Floats rms(input.size());
    Floats layer(input.size());
    backend->RmsNorm({input.data(), rows, width, weight.data(), nullptr, 1e-5f, rms.data()});
    backend->LayerNorm({input.data(), rows, width, weight.data(), bias.data(), 1e-5f, layer.data()});
    for (int64_t r = 0; r < rows; ++r) {
      double mean = 0;
      double square = 0;
      for (int64_t i = 0; i < width; ++i) {
        const double x = input[static_cast<size_t>(r * width + i)];
        mean += x / static_cast<double>(width);
        square += x * x / static_cast<double>(width);
      }
      double variance = 0;
      for (int64_t i = 0; i < width; ++i)
        variance += std::pow(input[static_cast<size_t>(r * width + i)] - mean, 2) / static_cast<double>(width);
      for (int64_t i = 0; i < width; ++i) {
        const auto at = static_cast<size_t>(r * width + i);
        const auto column = static_cast<size_t>(i);
        ASSERT_NEAR(rms[at], input[at] / std::sqrt(square + 1e-5) * weight[column], 1e-5);
        ASSERT_NEAR(layer[at], (input[at] - mean) / std::sqrt(variance + 1e-5) * weight[column] + bias[column], 2e-5);
      }
    }
  }
}

TEST_P(RowOpsTest, RopeRotatesTheHalvesOfEachHead) {
  const auto backend = MakeBackend(GetParam());
  struct Head {
    int64_t size, rotated;
  };
  for (const auto& [head_dim, rotary_dim] : {Head{2, 2}, {6, 6}, {32, 32}, {80, 80}, {24, 12}}) {
    const int64_t rows = 3;
    const int64_t heads = 2;
    const int64_t stride = heads * head_dim + 5;
    const int64_t half = rotary_dim / 2;
    const std::vector<int32_t> positions = {4, 0, 9, 2};
    const std::vector<int32_t> indices = {0, 2, 3};
    const Floats angles = RandomFloats(10 * half, 4);
    Floats cosines(angles.size());
    Floats sines(angles.size());
    for (size_t i = 0; i < angles.size(); ++i) {
      cosines[i] = std::cos(angles[i]);
      sines[i] = std::sin(angles[i]);
    }
    for (const bool indexed : {false, true}) {
      const Floats before = RandomFloats(rows * stride, 5);
      Floats values = before;
      backend->PrepareHeads(
          {values.data(),
           stride,
           rows,
           head_dim,
           heads,
           nullptr,
           0,
           nullptr,
           0,
           {rotary_dim, positions.data(), indexed ? indices.data() : nullptr, cosines.data(), sines.data()},
           values.data()});
      for (int64_t r = 0; r < rows; ++r) {
        const int64_t position = positions[static_cast<size_t>(indexed ? indices[static_cast<size_t>(r)] : r)];
        for (int64_t h = 0; h < heads; ++h) {
          for (int64_t i = 0; i < half; ++i) {
            const auto a = static_cast<size_t>(r * stride + h * head_dim + i);
            const auto b = a + static_cast<size_t>(half);
            const double angle = angles[static_cast<size_t>(position * half + i)];
            ASSERT_NEAR(values[a], before[a] * std::cos(angle) - before[b] * std::sin(angle), 1e-5);
            ASSERT_NEAR(values[b], before[b] * std::cos(angle) + before[a] * std::sin(angle), 1e-5);
          }
        }
        for (int64_t i = 0; i < stride; ++i) {
          if (i < heads * head_dim && i % head_dim < rotary_dim) continue;
          const auto at = static_cast<size_t>(r * stride + i);
          ASSERT_EQ(values[at], before[at]);
        }
      }
    }
  }
}

TEST_P(RowOpsTest, HeadNormTreatsEachHeadForItself) {
  const auto backend = MakeBackend(GetParam());
  Floats values = {3, -4, 0, 0, 2, 2, 2, 2, 7,  // two heads of four, and a number that is none of theirs
                   1, 1,  1, 1, 0, 0, 6, 8, 9};
  const Floats weight = {1, 1, 2, 0.5};
  backend->PrepareHeads({values.data(), 9, 2, 4, 2, weight.data(), 0, nullptr, 0.0f, {}, values.data()});
  EXPECT_EQ(values, (Floats{1.2f, -1.6f, 0, 0, 1, 1, 2, 0.5f, 7, 1, 1, 2, 0.5f, 0, 0, 2.4f, 0.8f, 9}));
}

TEST_P(RowOpsTest, ValuesFollowKeysAndAreNotRotated) {
  const auto backend = MakeBackend(GetParam());
  // A key and a value of four numbers, of which a key's first two are rotated by a quarter.
  const Floats input = {3, -4, 0, 0, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 6, 8};
  const Floats norm = {1, 1, 2, 0.5};
  const Floats value_norm = {1, 2, 1, 1};
  const std::vector<int32_t> positions = {1, 0};
  const Floats cosines = {1, 0};
  const Floats sines = {0, 1};
  Floats output(input.size());
  backend->PrepareHeads({input.data(),
                         8,
                         2,
                         4,
                         1,
                         norm.data(),
                         1,
                         value_norm.data(),
                         0.0f,
                         {2, positions.data(), nullptr, cosines.data(), sines.data()},
                         output.data()});
  EXPECT_EQ(output, (Floats{1.6f, 1.2f, 0, 0, 1, 2, 1, 1, 1, 1, 2, 0.5f, 0, 0, 1.2f, 1.6f}));
  // Values without a norm stay as they are.
  backend->PrepareHeads({input.data(), 8, 2, 4, 1, norm.data(), 1, nullptr, 0.0f, {}, output.data()});
  EXPECT_EQ(output, (Floats{1.2f, -1.6f, 0, 0, 2, 2, 2, 2, 1, 1, 2, 0.5f, 0, 0, 6, 8}));
}

TEST_P(RowOpsTest, BranchesAreNormedAddedAndNormedAgain) {
  const auto backend = MakeBackend(GetParam());
  const int64_t rows = 3;
  const int64_t width = 70;
  const auto size = static_cast<size_t>(rows * width);
  const auto columns = static_cast<size_t>(width);
  std::vector<Floats> weights;
  for (uint32_t i = 0; i < 6; ++i) weights.push_back(RandomFloats(columns, 10 + i));
  const auto norm = [&](const std::vector<double>& input, const Floats& weight) {
    std::vector<double> output(input.size());
    for (size_t row = 0; row < input.size() / columns; ++row) {
      double square = 0;
      for (size_t i = 0; i < columns; ++i) square += std::pow(input[row * columns + i], 2) / static_cast<double>(width);
      for (size_t i = 0; i < columns; ++i)
        output[row * columns + i] = input[row * columns + i] / std::sqrt(square + 1e-5) * weight[i];
    }
    return output;
  };
  for (const bool two : {false, true}) {
    Floats branch = RandomFloats(size, 1, 2.0f);
    Floats other = RandomFloats(size, 2);
    Floats residual = RandomFloats(size, 3);
    std::vector<double> added = norm({branch.begin(), branch.end()}, weights[0]);
    if (two) {
      const std::vector<double> second = norm({other.begin(), other.end()}, weights[1]);
      for (size_t i = 0; i < size; ++i) added[i] += second[i];
      added = norm(added, weights[2]);
    }
    for (size_t i = 0; i < size; ++i) added[i] = (added[i] + residual[i]) * 0.5;
    std::vector<Floats> outputs(3, Floats(size));
    backend->AddBranches({rows,
                          width,
                          1e-5f,
                          {{branch.data(), weights[0].data()}, {two ? other.data() : nullptr, weights[1].data()}},
                          weights[2].data(),
                          0.5f,
                          residual.data(),
                          {{weights[3].data(), outputs[0].data()},
                           {weights[4].data(), outputs[1].data()},
                           {two ? nullptr : weights[5].data(), outputs[2].data()}}});
    for (size_t i = 0; i < size; ++i) ASSERT_NEAR(residual[i], added[i], 1e-5);
    for (size_t o = 0; o < 3; ++o) {
      const std::vector<double> expected = norm(added, weights[3 + o]);
      for (size_t i = 0; i < size; ++i) ASSERT_NEAR(outputs[o][i], two && o == 2 ? 0 : expected[i], 2e-5);
    }
  }
}

TEST_P(RowOpsTest, EmbedStoresAndAdds) {
  const auto backend = MakeBackend(GetParam());
  const Floats words = {0, 1, 2, 3, 4, 5};                                // [3, 2]
  const std::vector<uint16_t> brains = {0x3f80, 0xc000, 0x4040, 0x0000};  // [2, 2]: 1, -2, 3, 0
  const auto table = backend->UploadTable(View(words, {3, 2}));
  const auto other =
      backend->UploadTable({DataType::kBfloat16, {2, 2}, reinterpret_cast<const uint8_t*>(brains.data())});
  const std::vector<int32_t> first = {2, 0, 2};
  const std::vector<int32_t> second = {1, 0, 0};
  Floats output(6);
  backend->Embed({table.get(), first.data(), 3, false, output.data()});
  EXPECT_EQ(output, (Floats{4, 5, 0, 1, 4, 5}));
  backend->Embed({other.get(), second.data(), 3, true, output.data()});
  EXPECT_EQ(output, (Floats{7, 5, 1, -1, 5, 3}));
}

TEST_P(RowOpsTest, GatherCopiesRows) {
  const auto backend = MakeBackend(GetParam());
  const Floats input = {0, 1, 2, 3, 4, 5};
  const std::vector<int32_t> indices = {2, 0};
  Floats output(4);
  backend->Gather({input.data(), indices.data(), 2, 2, output.data()});
  EXPECT_EQ(output, (Floats{4, 5, 0, 1}));
}

SFUMATO_FOR_ALL_BACKENDS(RowOpsTest);

}  // namespace
}  // namespace sfumato::test
