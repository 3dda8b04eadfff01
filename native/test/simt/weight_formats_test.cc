// Products with weights in FP8 and 4 bits: against a double reference over the weights as they are kept, and against
// products in BF16 with those weights, bit by bit.
#include "base/error.h"
#include "base/number_formats.h"
#include "cuda/cuda_backend.h"
#include "ops/op_test.h"
#include "simt/kept_products.h"
#include "simt/simt_device.h"

namespace sfumato::test {
namespace {

struct TestedFormat {
  const char* name;
  cuda::Precision precision;
  cuda::WeightFormat format;
};

class WeightFormatsTest : public testing::TestWithParam<TestedFormat> {
 protected:
  static std::unique_ptr<cuda::CudaBackend> Make(cuda::Precision precision) {
    return std::make_unique<cuda::CudaBackend>(std::make_unique<SimtDevice>(), precision, 2,
                                               BackendLimits{1024, 1024, 8});
  }

  static Floats Kept(const Floats& weights, int64_t outputs, int64_t inner) {
    return bench::KeptWeights(GetParam().format, weights, outputs, inner);
  }

  /// What products read.
  static Floats Read(Floats values, int64_t) {
    for (float& value : values) value = FromBfloat16(ToBfloat16(value));
    return values;
  }
  static Floats Input(int64_t size, uint32_t seed) { return Read(RandomFloats(size, seed), size); }

  std::unique_ptr<cuda::CudaBackend> backend_ = Make(GetParam().precision);
};

TEST_P(WeightFormatsTest, MatchesADoubleReference) {
  for (const ProductShape& shape : std::vector<ProductShape>{{1, 1, 1},
                                                             {5, 17, 3},
                                                             {7, 40, 64},
                                                             {70, 33, 257},
                                                             {20, 130, 192},
                                                             {16, 40, 512},
                                                             {3, 100, 700},
                                                             {90, 20, 31},
                                                             {15, 70, 1030}})
    ExpectProducts(*backend_, GetParam().format, shape, Read);
}

TEST_P(WeightFormatsTest, GatesOneHalfWithTheOther) { ExpectGates(*backend_, GetParam().format, {19, 45, 300}, Read); }

TEST_P(WeightFormatsTest, GivesTheBitsOfBfloat16WithTheKeptWeights) {
  const auto other = Make(cuda::Precision::kBfloat16);
  const int64_t inner = 512;
  const int64_t outputs = 90;
  const Floats gate = RandomFloats(outputs * inner, 1, 0.1f);
  const Floats up = RandomFloats(outputs * inner, 2, 0.1f);
  const Floats kept_gate = Kept(gate, outputs, inner);
  const Floats kept_up = Kept(up, outputs, inner);
  for (const int64_t rows : {1, 16, 75}) {
    const Floats input = RandomFloats(rows * inner, 3);
    const auto run = [&](Backend& backend, const Floats& first, const Floats& second) {
      const auto dense = backend.Pack({View(first, {outputs, inner}), View(second, {outputs, inner})});
      const auto gated = backend.PackGated(View(first, {outputs, inner}), View(second, {outputs, inner}));
      Floats output(static_cast<size_t>(3 * rows * outputs));
      backend.Matmul({Part::kHead, input.data(), rows, dense.get(), nullptr, Epilogue::kStore, output.data()});
      backend.Matmul({Part::kHead, input.data(), rows, gated.get(), nullptr, Epilogue::kGatedGeluTanh,
                      output.data() + 2 * rows * outputs});
      return output;
    };
    EXPECT_EQ(run(*backend_, gate, up), run(*other, kept_gate, kept_up)) << rows;
  }
}

TEST_P(WeightFormatsTest, GroupsGiveTheBitsOfTheirOwnProducts) {
  const int64_t inner = 200;
  const int64_t outputs = 70;
  for (const std::vector<int32_t>& counts : {std::vector<int32_t>{0, 3, 17, 1, 0}, {0, 130, 9, 40, 1}}) {
    std::vector<int32_t> ends(counts.size());
    std::partial_sum(counts.begin(), counts.end(), ends.begin());
    const int64_t rows = ends.back();
    const Floats input = RandomFloats(rows * inner, 1);
    std::vector<std::unique_ptr<PackedMatrix>> matrices;
    std::vector<const PackedMatrix*> pointers;
    for (uint32_t group = 0; group < counts.size(); ++group) {
      const Floats gate = RandomFloats(outputs * inner, 2 + group, 0.1f);
      const Floats up = RandomFloats(outputs * inner, 20 + group, 0.1f);
      matrices.push_back(backend_->PackGated(View(gate, {outputs, inner}), View(up, {outputs, inner})));
      pointers.push_back(matrices.back().get());
    }
    const auto group = backend_->Group(pointers);
    Floats output(static_cast<size_t>(rows * outputs));
    backend_->GroupedMatmul({Part::kFeedForward, input.data(), nullptr, rows, ends.data(), group.get(),
                             Epilogue::kGatedSilu, output.data()});
    Floats expected(output.size());
    for (size_t i = 0; i < counts.size(); ++i) {
      const int64_t first = ends[i] - counts[i];
      backend_->Matmul({Part::kFeedForward, input.data() + first * inner, counts[i], pointers[i], nullptr,
                        Epilogue::kGatedSilu, expected.data() + first * outputs});
    }
    EXPECT_EQ(output, expected);
  }
}

TEST_P(WeightFormatsTest, GroupsMatchADoubleReference) {
  const int64_t inner = 130;
  const int64_t outputs = 100;  // 104 blocks of 128
  const int64_t groups = 104;
  Floats kept;
  std::vector<std::unique_ptr<PackedMatrix>> matrices;
  std::vector<const PackedMatrix*> pointers;
  for (uint32_t group = 0; group < groups; ++group) {
    const Floats weights = RandomFloats(outputs * inner, 30 + group, 0.1f);
    const Floats rounded = Kept(weights, outputs, inner);
    kept.insert(kept.end(), rounded.begin(), rounded.end());
    matrices.push_back(backend_->Pack({View(weights, {outputs, inner})}));
    pointers.push_back(matrices.back().get());
  }
  const auto group = backend_->Group(pointers);
  std::vector<int32_t> ends(groups);
  int32_t rows = 0;
  for (size_t i = 0; i < groups; ++i) {
    rows += i == 50 ? 70 : static_cast<int32_t>(i * 7 % 25);
    ends[i] = rows;
  }
  const Floats input = Input(rows * inner, 5);
  Floats output(static_cast<size_t>(rows * outputs));
  backend_->GroupedMatmul(
      {Part::kFeedForward, input.data(), nullptr, rows, ends.data(), group.get(), Epilogue::kStore, output.data()});
  int64_t row = 0;
  for (int64_t i = 0; i < groups; ++i) {
    for (; row < ends[static_cast<size_t>(i)]; ++row) {
      for (int64_t o = 0; o < outputs; ++o) {
        const double expected = Dot(input.data() + row * inner, kept.data() + (i * outputs + o) * inner, inner);
        ASSERT_NEAR(output[static_cast<size_t>(row * outputs + o)], expected, 2e-5) << row << " " << o;
      }
    }
  }
}

TEST_P(WeightFormatsTest, ARowIsTheSameAloneAndAmongOthers) {
  const int64_t rows = 80;
  const int64_t inner = 330;
  const int64_t outputs = 72;
  const Floats input = RandomFloats(rows * inner, 8);
  const auto packed = backend_->Pack({View(RandomFloats(outputs * inner, 9), {outputs, inner})});
  const auto run = [&](int64_t first, int64_t count) {
    Floats output(static_cast<size_t>(count * outputs));
    backend_->Matmul(
        {Part::kHead, input.data() + first * inner, count, packed.get(), nullptr, Epilogue::kStore, output.data()});
    return output;
  };
  const Floats all = run(0, rows);
  for (const auto& [first, count] : std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {79, 1}, {5, 13}, {1, 66}})
    EXPECT_EQ(run(first, count), Floats(all.begin() + first * outputs, all.begin() + (first + count) * outputs));
}

TEST_P(WeightFormatsTest, CandidatesAndSoftEmbeddingsAreThoseOfBfloat16WithTheKeptWeights) {
  const int64_t vocabulary = 1100;
  const int64_t hidden = 256;
  const Floats weights = RandomFloats(vocabulary * hidden, 1, 0.2f);
  for (const int64_t rows : {12, 72}) {
    const Floats states = RandomFloats(rows * hidden, 2);
    StepLayout layout;
    for (int32_t row = 0; row < rows; ++row) {
      layout.tokens.push_back(row * 31);
      layout.positions.push_back(row + 3);
      layout.selected.push_back(row);
      CandidateRules rules;
      rules.seed = 7;
      rules.temperature = row % 2 == 0 ? 0.0f : 0.8f;
      rules.top_count = 4;
      rules.guidance_scale = 0.5f;
      layout.rules.push_back(rules);
      layout.candidates.push_back({row, row, row, -1, row, row == 3 ? 2 : -1});
      Sequence sequence;
      sequence.slot = row / 6;
      sequence.first_row = row / 6 * 6;
      layout.sequences.push_back(sequence);
    }
    struct Results {
      std::vector<int32_t> tokens;
      Floats numbers;
      bool operator==(const Results&) const = default;
    };
    const auto run = [&](Backend& backend, const Floats& kept) {
      const auto head = backend.PackHead(View(kept, {vocabulary, hidden}));
      backend.ReserveCandidates(vocabulary, hidden);
      backend.ReserveSoftEmbeddings(hidden);
      const auto n = static_cast<size_t>(rows);
      Results results = {std::vector<int32_t>(6 * n), Floats(9 * n + n * static_cast<size_t>(vocabulary + hidden))};
      int32_t* tokens = results.tokens.data();
      float* numbers = results.numbers.data();
      float* logits = numbers + 9 * n;
      const CandidateOutputs outputs = {
          tokens,          numbers,         tokens + n,     numbers + n,     numbers + 2 * n,
          numbers + 3 * n, numbers + 4 * n, tokens + 2 * n, numbers + 5 * n, 4};
      backend.BeginStep(layout);
      backend.Candidates({&layout,
                          states.data(),
                          head.get(),
                          nullptr,
                          outputs,
                          logits,
                          0,
                          {logits + n * static_cast<size_t>(vocabulary), 6, 2.0f}});
      return results;
    };
    const Results results = run(*backend_, weights);
    const auto other = Make(cuda::Precision::kBfloat16);
    EXPECT_EQ(results,
              run(*other, bench::KeptWeights(bench::HeadFormat(GetParam().format), weights, vocabulary, hidden)));
    // And those are not the same as of the weights themselves.
    EXPECT_NE(results, run(*Make(cuda::Precision::kBfloat16), weights));
  }
}

TEST_P(WeightFormatsTest, NothingComesOfZerosAndExactMatricesAreNotRounded) {
  const Floats weights = {0, 0, 0, 0, 0.3f, 0.1f};
  const Floats input = {1, 2};
  Floats output(3, 7);
  const auto packed = backend_->Pack({View(weights, {3, 2})});
  backend_->Matmul({Part::kHead, input.data(), 1, packed.get(), nullptr, Epilogue::kStore, output.data()});
  EXPECT_EQ(output[0], 0);
  EXPECT_EQ(output[1], 0);
  EXPECT_NEAR(output[2], 0.5f, 0.05f);
  EXPECT_NE(output[2], 0.3f + 2 * 0.1f);
  const auto exact = backend_->PackExact(View(weights, {3, 2}));
  backend_->Matmul({Part::kHead, input.data(), 1, exact.get(), nullptr, Epilogue::kStore, output.data()});
  EXPECT_NEAR(output[2], 0.5f, 1e-6f);
}

TEST_P(WeightFormatsTest, TakesItsBytes) {
  const Floats weights = RandomFloats(int64_t{128 * 256}, 1);
  const bool fp8 = GetParam().format == cuda::WeightFormat::kFp8;
  EXPECT_EQ(backend_->Pack({View(weights, {128, 256})})->bytes(), fp8 ? 128 * (256 + 4) : 128 * 256 * 9 / 16);
}

TEST_P(WeightFormatsTest, WeightsThatHaveNoNumberAreRefused) {
  for (const float bad : {NAN, INFINITY, 0x1p101f}) {
    Floats weights(80 * 3, 1.0f);
    weights[70 * 3 + 2] = bad;
    try {
      backend_->Pack({View(Floats(6, 1.0f), {2, 3}), View(weights, {80, 3})});
      ADD_FAILURE() << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), SFUMATO_DATA_LOSS);
      EXPECT_EQ(std::string(error.what()),
                std::string("weights: not finite or beyond 2^100 in row 70 (expected: numbers that can be kept in ") +
                    (GetParam().format == cuda::WeightFormat::kFp8 ? "FP8)" : "4 bits)"));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cuda, WeightFormatsTest,
                         testing::Values(TestedFormat{"fp8", cuda::Precision::kFp8, cuda::WeightFormat::kFp8},
                                         TestedFormat{"int4", cuda::Precision::kInt4, cuda::WeightFormat::kInt4}),
                         [](const testing::TestParamInfo<TestedFormat>& info) { return info.param.name; });

}  // namespace
}  // namespace sfumato::test
