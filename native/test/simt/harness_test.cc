// The harness finds what it is there to find: one broken kernel for each kind of fault, beside the same kernel mended.
#include "simt/harness.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace sfumato::cuda {
namespace {

/// The message of the fault that a launch ends with; empty without one.
template <class Kernel>
std::string FaultOf(const Kernel& kernel, const Grid& grid = {}) {
  try {
    harness::Run(kernel, grid);
  } catch (const harness::Fault& fault) {
    return fault.what();
  }
  return "";
}

struct Base {
  static constexpr const char* kName = "test";
  static constexpr int kThreads = 64;
  struct Shared {
    SharedArray<float, 64> numbers;
  };
};

/// Each thread's number from its neighbour, through shared memory.
struct NeighbourKernel : Base {
  static constexpr const char* kName = "neighbour";
  Global<float> output;
  int barriers = 1;
  int step = 1;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int thread = ThreadIndex();
    shared.numbers[thread] = static_cast<float>(thread);
    if (barriers == 1) SyncBlock();
    if (barriers == 2) SyncWarp();
    output[BlockX() * 64 + thread] = shared.numbers[(thread + step) % 64];
    if (barriers == 3) SyncBlock();
  }
};

TEST(HarnessTest, RunsBlocksOfThreads) {
  std::vector<float> output(128);
  EXPECT_EQ(FaultOf(NeighbourKernel{{}, output.data()}, {2, 1, 1}), "");
  for (size_t i = 0; i < 128; ++i) EXPECT_EQ(output[i], static_cast<float>((i % 64 + 1) % 64));
}

TEST(HarnessTest, FindsAReadThatNoBarrierOrders) {
  std::vector<float> output(64);
  // Thread 1 has not written yet when thread 0 reads; thread 63 has, but thread 0 need not have waited for it.
  EXPECT_EQ(FaultOf(NeighbourKernel{{}, output.data(), 0, 1}),
            "neighbour, block 0 0 0, thread 0: shared memory: reads word 1 that nobody has written");
  EXPECT_EQ(FaultOf(NeighbourKernel{{}, output.data(), 0, 63}).substr(0, 23), "neighbour, block 0 0 0,");
  EXPECT_EQ(FaultOf(NeighbourKernel{{}, output.data(), 3, 0}), "");  // each its own
}

TEST(HarnessTest, AWarpsBarrierOrdersItsOwnThreadsOnly) {
  std::vector<float> output(64);
  const std::string fault = FaultOf(NeighbourKernel{{}, output.data(), 2, 1});
  EXPECT_EQ(fault, "neighbour, block 0 0 0, thread 31: shared memory: reads word 32 that nobody has written");
  // The second warp reads what the first wrote, after it and yet not ordered by anything.
  EXPECT_EQ(FaultOf(NeighbourKernel{{}, output.data(), 2, 32}).substr(0, 23), "neighbour, block 0 0 0,");
}

/// One number goes to all, several times through the same place.
struct BroadcastKernel : Base {
  static constexpr const char* kName = "broadcast";
  Global<float> output;
  bool mended = false;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    float sum = 0;
    for (int round = 0; round < 3; ++round) {
      if (ThreadIndex() == round) shared.numbers[0] = static_cast<float>(round);
      SyncBlock();
      sum += shared.numbers[0];
      if (mended) SyncBlock();
    }
    output[ThreadIndex()] = sum;
  }
};

TEST(HarnessTest, FindsAWriteThatOvertakesReads) {
  std::vector<float> output(64);
  EXPECT_EQ(
      FaultOf(BroadcastKernel{{}, output.data(), false}),
      "broadcast, block 0 0 0, thread 1: shared memory race: writes word 0 that other threads read, with no barrier "
      "between");
  EXPECT_EQ(FaultOf(BroadcastKernel{{}, output.data(), true}), "");
  EXPECT_EQ(output[63], 3);
}

struct CollidingKernel : Base {
  SFUMATO_DEVICE void operator()(Shared& shared) const { shared.numbers[ThreadIndex() / 2] = 1; }
};

TEST(HarnessTest, FindsTwoWritesOfOneWord) {
  EXPECT_EQ(
      FaultOf(CollidingKernel{}),
      "test, block 0 0 0, thread 1: shared memory race: writes word 0 that thread 0 wrote, with no barrier between");
}

struct ReachingKernel : Base {
  Global<const float> input;
  Global<float> output;
  int reach = 0;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    shared.numbers[ThreadIndex() + (reach == 1 ? 1 : 0)] = 0;
    if (reach == 3) output[0] = Load4(input, 1).x;
    output[ThreadIndex() * (reach == 2 ? 2 : 1)] = input[ThreadIndex()];
  }
};

TEST(HarnessTest, FindsWhatLiesOutOfBounds) {
  const std::vector<float> input(64);
  std::vector<float> output(126);
  EXPECT_EQ(FaultOf(ReachingKernel{{}, input.data(), output.data(), 0}), "");
  EXPECT_EQ(FaultOf(ReachingKernel{{}, input.data(), output.data(), 1}),
            "test, block 0 0 0, thread 63: shared memory: element 64 of 64");
  EXPECT_EQ(FaultOf(ReachingKernel{{}, input.data(), output.data(), 2}),
            "test, block 0 0 0, thread 63: global memory: 4 bytes at 504 of an allocation of 504");
  EXPECT_EQ(FaultOf(ReachingKernel{{}, input.data(), output.data(), 3}),
            "test, block 0 0 0, thread 0: global memory: 16 bytes at an address that is no multiple of them");
  EXPECT_EQ(FaultOf(ReachingKernel{{}, nullptr, output.data(), 0}),
            "test, block 0 0 0, thread 0: global memory: a null array");
  const float on_stack[64] = {};
  EXPECT_EQ(FaultOf(ReachingKernel{{}, on_stack, output.data(), 0}),
            "test, block 0 0 0, thread 0: global memory: an array that nobody allocated");
}

struct DivergingKernel : Base {
  int way = 0;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int thread = ThreadIndex();
    if (way == 0 && thread == 7) return;
    if (way == 1 && thread % 2 == 0) {
      SyncBlock();
    } else if (way == 2 && thread == 40) {
      WarpSum(1.0f);
    }
    SyncBlock();
    if (way == 3 && Lane() == 3) {
      SyncWarp();
    } else if (way == 3) {
      ShuffleXor(1.0f, 1);
    }
  }
};

TEST(HarnessTest, FindsBarriersThatNotAllReach) {
  const std::string early = FaultOf(DivergingKernel{{}, 0});
  EXPECT_NE(early.find("nobody can go on; thread 0 waits for its block at harness_test.cc:"), std::string::npos)
      << early;
  EXPECT_NE(early.find("; thread 7 has ended"), std::string::npos) << early;
  EXPECT_NE(FaultOf(DivergingKernel{{}, 1}).find("divergent barrier: at harness_test.cc:"), std::string::npos);
  EXPECT_NE(FaultOf(DivergingKernel{{}, 2}).find("thread 40 waits for its warp at simt.h:"), std::string::npos);
  EXPECT_NE(FaultOf(DivergingKernel{{}, 3}).find("divergent warp: at harness_test.cc:"), std::string::npos);
}

struct CopyingKernel {
  static constexpr const char* kName = "copying";
  static constexpr int kThreads = 32;
  struct Shared {
    SharedArray<float, 128> numbers;
  };
  Global<const float> input;
  Global<float> output;
  bool waits = false;
  bool synchronizes = false;

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int thread = ThreadIndex();
    CopyAsync16(shared.numbers, thread * 4, input, thread * 4);
    CommitCopies();
    if (waits) WaitForCopies<0>();
    if (synchronizes) SyncBlock();
    for (int i = 0; i < 4; ++i) output[thread * 4 + i] = shared.numbers[127 - thread * 4 - i];
    WaitForCopies<0>();
  }
};

TEST(HarnessTest, AsynchronousCopiesAreThereAfterWaitAndBarrier) {
  std::vector<float> input(128);
  for (size_t i = 0; i < 128; ++i) input[i] = static_cast<float>(i);
  std::vector<float> output(128);
  EXPECT_EQ(FaultOf(CopyingKernel{input.data(), output.data(), true, true}), "");
  EXPECT_EQ(output[0], 127);
  EXPECT_NE(FaultOf(CopyingKernel{input.data(), output.data(), false, true}).find("reads what is being copied"),
            std::string::npos);
  EXPECT_NE(FaultOf(CopyingKernel{input.data(), output.data(), true, false}), "");
}

struct CollectiveKernel {
  static constexpr const char* kName = "collective";
  static constexpr int kThreads = 64;
  struct Shared {
    SharedArray<double, 2> sums;
  };
  Global<float> output;  // [64, 5]

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const int thread = ThreadIndex();
    output[thread * 5] = WarpSum(static_cast<float>(thread));
    output[thread * 5 + 1] = ShuffleFrom(static_cast<float>(thread), 5);
    output[thread * 5 + 2] = static_cast<float>(CountBits(Ballot(thread % 3 == 0)));
    output[thread * 5 + 3] = static_cast<float>(BlockSum(1.0 / 3 * thread, shared.sums));
    output[thread * 5 + 4] = WarpMaximum(static_cast<float>(-thread));
  }
};

TEST(HarnessTest, WarpsExchangeNumbers) {
  std::vector<float> output(320);
  EXPECT_EQ(FaultOf(CollectiveKernel{output.data()}), "");
  EXPECT_EQ(output[0], 496);
  EXPECT_EQ(output[63 * 5], 1520);
  EXPECT_EQ(output[1], 5);
  EXPECT_EQ(output[63 * 5 + 1], 37);
  EXPECT_EQ(output[2], 11);
  EXPECT_EQ(output[3], 672);
  EXPECT_EQ(output[4], 0);
  EXPECT_EQ(output[63 * 5 + 4], -32);
}

/// Four matrices whose numbers say where they stood.
struct TransposeRowsKernel {
  static constexpr const char* kName = "transpose_rows";
  static constexpr int kThreads = 32;
  struct Shared {
    SharedArray<uint32_t, 32 * 4> rows;  // [matrices, rows, words]
  };
  Global<uint32_t> output;  // [lanes, matrices]

  SFUMATO_DEVICE void operator()(Shared& shared) const {
    const auto lane = static_cast<uint32_t>(ThreadIndex());
    for (uint32_t word = 0; word < 4; ++word)
      shared.rows[lane * 4 + word] = (lane * 8 + word * 2) | (lane * 8 + word * 2 + 1) << 16;
    SyncWarp();
    uint32_t words[4];
    LoadTransposed(shared.rows, ThreadIndex() * 4, words);
    for (uint32_t matrix = 0; matrix < 4; ++matrix) output[lane * 4 + matrix] = words[matrix];
  }
};

TEST(HarnessTest, TransposesRowsAsThePtxManualSays) {
  std::vector<uint32_t> output(128);
  EXPECT_EQ(FaultOf(TransposeRowsKernel{output.data()}), "");
  for (uint32_t lane = 0; lane < 32; ++lane) {
    for (uint32_t matrix = 0; matrix < 4; ++matrix) {
      const uint32_t number = matrix * 64 + lane % 4 * 2 * 8 + lane / 4;  // column lane / 4 of row lane % 4 * 2
      EXPECT_EQ(output[lane * 4 + matrix], number | (number + 8) << 16) << lane << " " << matrix;
    }
  }
}

/// A product of 16 x 16 and 16 x 8, loaded as the PTX manual's pictures have it: a lane's place in rows of four.
struct MultiplyKernel {
  static constexpr const char* kName = "multiply";
  static constexpr int kThreads = 32;
  struct Shared {
    SharedArray<float, 1> none;
  };
  Global<const float> a;  // [16, 16]
  Global<const float> b;  // [16, 8]
  Global<float> c;        // [16, 8]
  Global<uint32_t> transposed;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int row = Lane() / 4;
    const int column = Lane() % 4 * 2;
    const auto pair = [this, column](int r, int first) {
      return PackBfloat16(a[r * 16 + first + column], a[r * 16 + first + column + 1]);
    };
    const uint32_t left[4] = {pair(row, 0), pair(row + 8, 0), pair(row, 8), pair(row + 8, 8)};
    const uint32_t right[2] = {PackBfloat16(b[column * 8 + row], b[(column + 1) * 8 + row]),
                               PackBfloat16(b[(column + 8) * 8 + row], b[(column + 9) * 8 + row])};
    float sums[4] = {0, 0, 0, 1};
    MultiplyBfloat16(sums, left, right);
    for (int i = 0; i < 4; ++i) c[(row + i / 2 * 8) * 8 + column + i % 2] = sums[i];
    transposed[Lane()] = TransposeFragment(static_cast<uint32_t>(row * 8 + column) | (row * 8 + column + 1) << 16);
  }
};

TEST(HarnessTest, FragmentsMultiplyAndTranspose) {
  std::mt19937 generator(1);
  std::vector<float> a(256), b(128), c(128);
  for (float& value : a) value = static_cast<float>(generator() % 17) - 8;
  for (float& value : b) value = static_cast<float>(generator() % 17) - 8;
  std::vector<uint32_t> transposed(32);
  EXPECT_EQ(FaultOf(MultiplyKernel{a.data(), b.data(), c.data(), transposed.data()}), "");
  for (size_t row = 0; row < 16; ++row) {
    for (size_t column = 0; column < 8; ++column) {
      float sum = row >= 8 && column % 2 == 1 ? 1 : 0;
      for (size_t k = 0; k < 16; ++k) sum += a[row * 16 + k] * b[k * 8 + column];
      EXPECT_EQ(c[row * 8 + column], sum) << row << " " << column;
    }
  }
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t row = lane / 4;
    const uint32_t column = lane % 4 * 2;
    EXPECT_EQ(transposed[lane], (column * 8 + row) | ((column + 1) * 8 + row) << 16);
  }
}

/// A product of E4M3 numbers, 16 x 32 and 32 x 8, loaded as the PTX manual's pictures have it.
struct MultiplyFloat8Kernel {
  static constexpr const char* kName = "multiply_float8";
  static constexpr int kThreads = 32;
  struct Shared {
    SharedArray<float, 1> none;
  };
  Global<const float> a;  // [16, 32]
  Global<const float> b;  // [32, 8]
  Global<float> c;        // [16, 8]

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int row = Lane() / 4;
    const int column = Lane() % 4 * 4;
    const auto four = [](const Global<const float>& numbers, int first, int stride) {
      uint32_t word = 0;
      for (int i = 0; i < 4; ++i) word |= static_cast<uint32_t>(ToFloat8(numbers[first + i * stride])) << 8 * i;
      return word;
    };
    const uint32_t left[4] = {four(a, row * 32 + column, 1), four(a, (row + 8) * 32 + column, 1),
                              four(a, row * 32 + column + 16, 1), four(a, (row + 8) * 32 + column + 16, 1)};
    const uint32_t right[2] = {four(b, column * 8 + row, 8), four(b, (column + 16) * 8 + row, 8)};
    float sums[4] = {0, 0, 0, 1};
    MultiplyFloat8(sums, left, right);
    for (int i = 0; i < 4; ++i) c[(row + i / 2 * 8) * 8 + Lane() % 4 * 2 + i % 2] = sums[i];
  }
};

TEST(HarnessTest, FragmentsOfFloat8Multiply) {
  std::mt19937 generator(1);
  std::vector<float> a(512), b(256), c(128);
  for (float& value : a) value = static_cast<float>(generator() % 17) - 8;
  for (float& value : b) value = static_cast<float>(generator() % 17) - 8;
  EXPECT_EQ(FaultOf(MultiplyFloat8Kernel{a.data(), b.data(), c.data()}), "");
  for (size_t row = 0; row < 16; ++row) {
    for (size_t column = 0; column < 8; ++column) {
      float sum = row >= 8 && column % 2 == 1 ? 1 : 0;
      for (size_t k = 0; k < 32; ++k) sum += a[row * 32 + k] * b[k * 8 + column];
      EXPECT_EQ(c[row * 8 + column], sum) << row << " " << column;
    }
  }
}

TEST(HarnessTest, ThreeTermsHoldAFloat) {
  std::mt19937 generator(2);
  for (int i = 0; i < 1000; ++i) {
    const float low =
        std::ldexp(static_cast<float>(generator()) / 4e9f - 0.5f, static_cast<int>(generator() % 40) - 20);
    uint32_t terms[3];
    SplitBfloat16(low, -low, terms);
    double sum = 0;
    for (const uint32_t term : terms) sum += std::bit_cast<float>(term << 16);
    EXPECT_EQ(sum, low);
  }
}

}  // namespace
}  // namespace sfumato::cuda
