#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <numeric>

#include "base/error.h"

namespace sfumato {
namespace {

class ThreadPoolTest : public testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, RunsEachTaskOnce) {
  ThreadPool pool(GetParam());
  for (const int64_t tasks : {0, 1, 2, 3, 7, 64, 1000}) {
    std::vector<int> runs(static_cast<size_t>(tasks), 0);
    std::vector<int> threads(static_cast<size_t>(tasks), -1);
    for (int round = 0; round < 3; ++round) {
      pool.Run(tasks, [&](int64_t task, int thread) noexcept {
        runs[static_cast<size_t>(task)] += 1;
        threads[static_cast<size_t>(task)] = thread;
      });
    }
    for (const int count : runs) ASSERT_EQ(count, 3);
    for (const int thread : threads) ASSERT_TRUE(thread >= 0 && thread < GetParam());
  }
}

TEST_P(ThreadPoolTest, SeesWhatTheCallerWroteBeforeAndShowsWhatWorkersWrote) {
  ThreadPool pool(GetParam());
  std::vector<int64_t> values(257);
  std::iota(values.begin(), values.end(), 0);
  for (int round = 0; round < 200; ++round) {
    pool.Run(static_cast<int64_t>(values.size()),
             [&](int64_t i, int) noexcept { values[static_cast<size_t>(i)] += 1; });
  }
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], static_cast<int64_t>(i) + 200);
}

TEST_P(ThreadPoolTest, WakesThreadsThatFellAsleep) {
  ThreadPool pool(GetParam());
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    std::atomic<int64_t> sum{0};
    pool.Run(100, [&](int64_t i, int) noexcept { sum += i; });
    ASSERT_EQ(sum.load(), 4950);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 8));

TEST(ThreadPoolLimitsTest, RefusesImpossibleNumbers) {
  for (const int threads : {0, -1, 257}) {
    try {
      const ThreadPool pool(threads);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.status(), SFUMATO_INVALID_ARGUMENT);
      EXPECT_EQ(std::string(e.what()), "threads: " + std::to_string(threads) + " (expected: 1..256)");
    }
  }
}

}  // namespace
}  // namespace sfumato
