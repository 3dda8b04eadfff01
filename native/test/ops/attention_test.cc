#include "ops/attention.h"

#include <algorithm>
#include <numeric>

#include "ops/op_test.h"

namespace sfumato::test {
namespace {

/// A random attention problem over pages and own rows, and its answer in double.
struct Problem {
  AttentionShape shape;
  int64_t block_length = 0;
  int64_t block_offset = 0;
  int64_t window = 0;
  bool selected_only = false;
  int64_t page_tokens = 4;
  StepLayout layout;
  Floats queries, keys, values, pages, output;

  int64_t width() const { return shape.heads * shape.head_dim; }
  int64_t kv_width() const { return shape.kv_heads * shape.head_dim; }
  int64_t query_rows() const { return selected_only ? layout.selected_rows() : layout.rows(); }

  void AddSequence(int64_t rows, int64_t context, std::vector<int32_t> pages_of_context,
                   const std::vector<int64_t>& selected_rows, int64_t following = 0) {
    Sequence sequence;
    sequence.first_row = layout.rows();
    sequence.rows = rows;
    sequence.first_position = context;
    sequence.context_tokens = context;
    sequence.following_tokens = following;
    sequence.block_length = block_length;
    sequence.block_offset = block_offset;
    sequence.first_page = static_cast<int64_t>(layout.pages.size());
    sequence.first_selected = layout.selected_rows();
    sequence.selected = static_cast<int64_t>(selected_rows.size());
    layout.sequences.push_back(sequence);
    layout.pages.insert(layout.pages.end(), pages_of_context.begin(), pages_of_context.end());
    for (const int64_t row : selected_rows) layout.selected.push_back(static_cast<int32_t>(sequence.first_row + row));
    layout.tokens.resize(layout.tokens.size() + static_cast<size_t>(rows));
    for (int64_t i = 0; i < rows; ++i) layout.positions.push_back(static_cast<int32_t>(context + i));
  }

  void Fill(int64_t page_count, uint32_t seed) {
    queries = RandomFloats(query_rows() * width(), seed, 2.0f);
    keys = RandomFloats(layout.rows() * kv_width(), seed + 1);
    values = RandomFloats(layout.rows() * kv_width(), seed + 2);
    pages = RandomFloats(page_count * page_tokens * 2 * kv_width(), seed + 3);
    output.assign(queries.size(), -1.0f);
  }

  AttentionArguments Arguments() {
    AttentionArguments a;
    a.layout = &layout;
    a.shape = shape;
    a.scale = 0.3f;
    a.window = window;
    a.selected_only = selected_only;
    a.queries = queries.data();
    a.query_stride = width();
    a.keys = keys.data();
    a.values = values.data();
    a.key_stride = kv_width();
    a.pages = {pages.empty() ? nullptr : pages.data(), page_tokens};
    a.output = output.data();
    a.output_stride = width();
    return a;
  }

  const float* Key(const Sequence& sequence, int64_t key, bool value) const {
    if (key >= sequence.context_tokens && key < sequence.context_tokens + sequence.rows) {
      return (value ? values : keys).data() + (sequence.first_row + key - sequence.context_tokens) * kv_width();
    }
    const int64_t page = layout.pages[static_cast<size_t>(sequence.first_page + key / page_tokens)];
    return pages.data() + ((page * page_tokens + key % page_tokens) * 2 + (value ? 1 : 0)) * kv_width();
  }

  bool Sees(const Sequence& sequence, int64_t query, int64_t key) const {
    const int64_t own = key - sequence.context_tokens;
    if (window > 0 && std::abs(own - query) > window) return false;
    if (own < 0 || block_length == 0) return true;
    const int64_t origin = sequence.first_position + block_offset;
    return (origin + own) / block_length <= (origin + query) / block_length;
  }

  /// The largest difference between the output and the definition.
  double Error() const {
    double worst = 0;
    for (const Sequence& sequence : layout.sequences) {
      const int64_t count = selected_only ? sequence.selected : sequence.rows;
      for (int64_t i = 0; i < count; ++i) {
        const int64_t row = (selected_only ? sequence.first_selected : sequence.first_row) + i;
        const int64_t query = selected_only ? layout.selected[static_cast<size_t>(row)] - sequence.first_row : i;
        for (int64_t head = 0; head < shape.heads; ++head) {
          const int64_t kv = head / (shape.heads / shape.kv_heads) * shape.head_dim;
          const int64_t place = row * width() + head * shape.head_dim;
          std::vector<double> mixed(static_cast<size_t>(shape.head_dim), 0.0);
          double total = 0;
          for (int64_t key = 0; key < sequence.keys(); ++key) {
            if (!Sees(sequence, query, key)) continue;
            double score = 0;
            for (int64_t d = 0; d < shape.head_dim; ++d)
              score += double{queries[static_cast<size_t>(place + d)]} * Key(sequence, key, false)[kv + d];
            const double weight = std::exp(0.3 * score);
            total += weight;
            for (int64_t d = 0; d < shape.head_dim; ++d)
              mixed[static_cast<size_t>(d)] += weight * Key(sequence, key, true)[kv + d];
          }
          for (int64_t d = 0; d < shape.head_dim; ++d) {
            worst = std::max(worst,
                             std::fabs(mixed[static_cast<size_t>(d)] / total - output[static_cast<size_t>(place + d)]));
          }
        }
      }
    }
    return worst;
  }
};

std::vector<int64_t> AllRows(int64_t rows) {
  std::vector<int64_t> all(static_cast<size_t>(rows));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

class AttentionTest : public OpTest {
 protected:
  void Run(Problem& problem, int threads = 2) {
    const auto backend = MakeBackend(GetParam(), threads);
    backend->ReserveAttention(problem.shape.head_dim);
    OperandCopy queries(*backend, problem.queries);
    OperandCopy keys(*backend, problem.keys);
    OperandCopy values(*backend, problem.values);
    OperandCopy pages(*backend, problem.pages);
    OperandCopy output(*backend, problem.output);
    AttentionArguments arguments = problem.Arguments();
    arguments.queries = queries.get();
    arguments.keys = keys.get();
    arguments.values = values.get();
    if (!problem.pages.empty()) arguments.pages.data = pages.get();
    arguments.output = output.get();
    backend->Attention(arguments);
    output.Return();
  }

  /// Of results, where all is rounded to eight bits: queries, keys, values, weights and the results, of about 1 or 2.
  static double Tolerance() { return GetParam().rounds_to_bfloat16 ? 0.02 : 1e-5; }
};

TEST_P(AttentionTest, WeighsLiteralNumbers) {
  Problem problem;
  problem.shape = {1, 1, 2};
  problem.AddSequence(2, 0, {}, {});
  problem.queries = {0, 0, std::log(3.0f) / 0.3f, 0};
  problem.keys = {1, 0, 0, 1};
  problem.values = {10, 0, 20, 4};
  problem.output.assign(4, 0);
  Run(problem);
  // The first query weighs both keys alike, the second the first one three times as much.
  const double tolerance = GetParam().rounds_to_bfloat16 ? 0.05 : 1e-5;
  EXPECT_NEAR(problem.output[0], 15.0f, tolerance);
  EXPECT_NEAR(problem.output[1], 2.0f, tolerance);
  EXPECT_NEAR(problem.output[2], 12.5f, tolerance);
  EXPECT_NEAR(problem.output[3], 1.0f, tolerance);
}

TEST_P(AttentionTest, RaggedItemsWithGroupedHeadsMatchADoubleReference) {
  for (const int64_t head_dim : {1, 6, 16, 33, 64}) {
    Problem problem;
    problem.shape = {4, 2, head_dim};
    for (const int64_t rows : {1, 17, 40, 300}) problem.AddSequence(rows, 0, {}, AllRows(rows));
    problem.Fill(0, 1);
    Run(problem, 3);
    EXPECT_LT(problem.Error(), Tolerance()) << head_dim;
  }
}

TEST_P(AttentionTest, ReadsTheContextFromItsPages) {
  struct Blocks {
    int64_t length, offset, window;
  };
  for (const Blocks& blocks : {Blocks{0, 0, 0}, {3, 0, 0}, {3, 2, 0}, {1, 0, 0}, {0, 0, 4}, {5, 1, 3}}) {
    Problem problem;
    problem.shape = {2, 1, 8};
    problem.block_length = blocks.length;
    problem.block_offset = blocks.offset;
    problem.window = blocks.window;
    problem.AddSequence(5, 7, {4, 1}, {1, 4});
    problem.AddSequence(9, 0, {}, {0, 3, 8});
    problem.AddSequence(20, 16, {0, 2, 5, 3}, AllRows(20));
    problem.Fill(6, 2);
    Run(problem);
    EXPECT_LT(problem.Error(), Tolerance());
  }
}

TEST_P(AttentionTest, ReadsWhatFollowsFromItsPages) {
  for (const int64_t window : {0, 4, 17}) {
    Problem problem;
    problem.shape = {2, 1, 8};
    problem.window = window;
    problem.AddSequence(5, 7, {4, 1, 7, 6}, {1, 4}, 4);
    problem.AddSequence(9, 0, {8, 9, 10, 11, 12, 13, 14, 15, 16, 17}, {0, 3, 8}, 30);
    problem.AddSequence(3, 2, {2, 5}, {2}, 0);
    problem.AddSequence(1, 12, {3, 0, 18, 19}, {0}, 1);
    problem.Fill(20, 12);
    Run(problem);
    EXPECT_LT(problem.Error(), Tolerance()) << window;
  }
}

TEST_P(AttentionTest, LongContextsAreSummedInBlocks) {
  Problem problem;
  problem.shape = {1, 1, 16};
  problem.block_length = 32;
  problem.page_tokens = 16;
  std::vector<int32_t> pages(40);
  std::iota(pages.rbegin(), pages.rend(), 0);
  problem.AddSequence(400, 640, pages, {});
  problem.Fill(40, 3);
  Run(problem);
  EXPECT_LT(problem.Error(), Tolerance());
}

TEST_P(AttentionTest, WindowsSkipWhatNobodySees) {
  Problem problem;
  problem.shape = {1, 1, 16};
  problem.window = 100;
  problem.AddSequence(1500, 0, {}, {});
  problem.Fill(0, 8);
  Run(problem);
  EXPECT_LT(problem.Error(), Tolerance());
}

TEST_P(AttentionTest, SelectedRowsAreTheSameAsAmongAll) {
  Problem all;
  all.shape = {2, 2, 12};
  all.block_length = 8;
  all.AddSequence(50, 6, {1, 0}, {0, 7, 8, 31, 49});
  all.AddSequence(20, 0, {}, {19});
  all.Fill(2, 4);
  Run(all);
  Problem some = all;
  some.selected_only = true;
  some.queries.clear();
  for (const int32_t row : all.layout.selected) {
    some.queries.insert(some.queries.end(), all.queries.begin() + row * all.width(),
                        all.queries.begin() + (row + 1) * all.width());
  }
  some.output.assign(some.queries.size(), 0);
  Run(some);
  for (size_t i = 0; i < all.layout.selected.size(); ++i) {
    for (int64_t c = 0; c < all.width(); ++c) {
      ASSERT_EQ(some.output[i * static_cast<size_t>(all.width()) + static_cast<size_t>(c)],
                all.output[static_cast<size_t>(all.layout.selected[i] * all.width() + c)]);
    }
  }
}

// An item's result is the same bits alone and among others, and whether its context lies in pages or in its own rows.
TEST_P(AttentionTest, AnItemIsTheSameAloneAmongOthersAndWithPages) {
  Problem alone;
  alone.shape = {2, 1, 16};
  alone.page_tokens = 5;
  alone.AddSequence(300, 0, {}, {});
  alone.Fill(0, 5);
  Run(alone);

  Problem among;
  among.shape = alone.shape;
  among.AddSequence(13, 0, {}, {});
  among.AddSequence(300, 0, {}, {});
  among.Fill(0, 6);
  std::copy(alone.queries.begin(), alone.queries.end(), among.queries.begin() + 13 * among.width());
  std::copy(alone.keys.begin(), alone.keys.end(), among.keys.begin() + 13 * among.kv_width());
  std::copy(alone.values.begin(), alone.values.end(), among.values.begin() + 13 * among.kv_width());
  Run(among, 3);
  EXPECT_EQ(alone.output, Floats(among.output.begin() + 13 * among.width(), among.output.end()));

  Problem paged;
  paged.shape = alone.shape;
  paged.page_tokens = 5;
  std::vector<int32_t> pages(12);
  std::iota(pages.begin(), pages.end(), 0);
  paged.AddSequence(242, 58, pages, {});
  paged.Fill(12, 7);
  const int64_t kv = alone.kv_width();
  for (int64_t key = 0; key < 58; ++key) {
    std::copy_n(alone.keys.begin() + key * kv, kv, paged.pages.begin() + key * 2 * kv);
    std::copy_n(alone.values.begin() + key * kv, kv, paged.pages.begin() + (key * 2 + 1) * kv);
  }
  std::copy(alone.queries.begin() + 58 * alone.width(), alone.queries.end(), paged.queries.begin());
  std::copy(alone.keys.begin() + 58 * kv, alone.keys.end(), paged.keys.begin());
  std::copy(alone.values.begin() + 58 * kv, alone.values.end(), paged.values.begin());
  Run(paged);
  EXPECT_EQ(paged.output, Floats(alone.output.begin() + 58 * alone.width(), alone.output.end()));
}

// Where there are enough items, GPUs take blocks of more rows of large heads.
TEST_P(AttentionTest, AnItemOfLargeHeadsIsTheSameAmongMany) {
  for (const int64_t head_dim : {200, 256, 400, 512}) {
    SCOPED_TRACE(head_dim);
    Problem alone;
    alone.shape = {8, 4, head_dim};
    alone.AddSequence(70, 0, {}, {});
    alone.Fill(0, 5);
    for (float& query : alone.queries) query *= 0.1f;
    Run(alone);
    EXPECT_LT(alone.Error(), Tolerance());

    Problem among;
    among.shape = alone.shape;
    among.AddSequence(70, 0, {}, {});
    for (int item = 0; item < 24; ++item) among.AddSequence(1 + item % 3, 0, {}, {});
    among.Fill(0, 6);
    std::copy(alone.queries.begin(), alone.queries.end(), among.queries.begin());
    std::copy(alone.keys.begin(), alone.keys.end(), among.keys.begin());
    std::copy(alone.values.begin(), alone.values.end(), among.values.begin());
    Run(among);
    EXPECT_EQ(alone.output, Floats(among.output.begin(), among.output.begin() + 70 * among.width()));
  }
}

TEST_P(AttentionTest, AnItemIsTheSameWithWhatFollowsItInPages) {
  Problem whole;
  whole.shape = {2, 1, 16};
  whole.page_tokens = 5;
  whole.AddSequence(300, 0, {}, {});
  whole.Fill(0, 9);
  Run(whole);

  constexpr int64_t kFirst = 58;
  constexpr int64_t kRows = 33;
  Problem part;
  part.shape = whole.shape;
  part.page_tokens = 5;
  std::vector<int32_t> pages(60);
  std::iota(pages.rbegin(), pages.rend(), 0);
  part.AddSequence(kRows, kFirst, pages, {}, 300 - kFirst - kRows);
  part.Fill(60, 10);
  const int64_t kv = whole.kv_width();
  for (int64_t key = 0; key < 300; ++key) {
    if (key >= kFirst && key < kFirst + kRows) continue;  // what the pages hold there is not read
    const int64_t place = (int64_t{pages[static_cast<size_t>(key / 5)]} * 5 + key % 5) * 2 * kv;
    std::copy_n(whole.keys.begin() + key * kv, kv, part.pages.begin() + place);
    std::copy_n(whole.values.begin() + key * kv, kv, part.pages.begin() + place + kv);
  }
  const int64_t width = whole.width();
  std::copy_n(whole.queries.begin() + kFirst * width, kRows * width, part.queries.begin());
  std::copy_n(whole.keys.begin() + kFirst * kv, kRows * kv, part.keys.begin());
  std::copy_n(whole.values.begin() + kFirst * kv, kRows * kv, part.values.begin());
  Run(part);
  EXPECT_EQ(part.output,
            Floats(whole.output.begin() + kFirst * width, whole.output.begin() + (kFirst + kRows) * width));
}

TEST_P(AttentionTest, WritesKeysAndValuesAfterTheContext) {
  Problem problem;
  problem.shape = {1, 1, 2};
  problem.page_tokens = 2;
  problem.AddSequence(3, 1, {2, 0}, {});
  problem.AddSequence(1, 0, {}, {});
  problem.layout.sequences[0].written = 3;
  problem.keys = {1, 2, 3, 4, 5, 6, 7, 8};
  problem.values = {10, 20, 30, 40, 50, 60, 70, 80};
  problem.pages.assign(3 * 2 * 2 * 2, -1);
  const auto backend = MakeBackend(GetParam());
  OperandCopy keys(*backend, problem.keys);
  OperandCopy values(*backend, problem.values);
  OperandCopy pages(*backend, problem.pages);
  backend->WriteKeyValues({&problem.layout, 2, keys.get(), values.get(), 2, {pages.get(), 2}});
  pages.Return();
  EXPECT_EQ(problem.pages,
            (Floats{3, 4, 30, 40, 5, 6, 50, 60, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1, 2, 10, 20}));
}

INSTANTIATE_TEST_SUITE_P(All, AttentionTest, testing::ValuesIn(TestedOperands()), BackendName);

}  // namespace
}  // namespace sfumato::test
