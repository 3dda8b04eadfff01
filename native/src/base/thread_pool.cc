#include "base/thread_pool.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace sfumato {
namespace {

constexpr auto kSpinTime = std::chrono::microseconds(200);
constexpr int kPausesPerClockRead = 64;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Spins until the condition holds or the spin time is over. Returns whether it holds.
template <class Condition>
bool SpinUntil(const Condition& condition) {
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < kPausesPerClockRead; ++i) {
      if (condition()) return true;
      Pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return condition();
}

}  // namespace

ThreadPool::ThreadPool(int threads) : threads_(threads) {
  CheckRange("threads", threads, 1, 256);
  workers_.reserve(static_cast<size_t>(threads - 1));
  try {
    for (int thread = 1; thread < threads; ++thread) workers_.emplace_back([this, thread] { Work(thread); });
  } catch (...) {
    stopping_.store(true);
    generation_.fetch_add(1);
    generation_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    throw;
  }
}

ThreadPool::~ThreadPool() {
  stopping_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Dispatch(int64_t tasks, const void* function, RangeFunction run_range) {
  tasks_ = tasks;
  function_ = function;
  run_range_ = run_range;
  running_.store(threads_ - 1);
  generation_.fetch_add(1);
  if (sleepers_.load() != 0) generation_.notify_all();
  RunShare(0);
  for (;;) {
    if (SpinUntil([this] { return running_.load() == 0; })) return;
    const int running = running_.load();
    if (running != 0) running_.wait(running);
  }
}

void ThreadPool::RunShare(int thread) {
  const int64_t begin = tasks_ * thread / threads_;
  const int64_t end = tasks_ * (thread + 1) / threads_;
  run_range_(function_, begin, end, thread);
}

void ThreadPool::Work(int thread) {
  uint32_t seen = 0;
  for (;;) {
    if (!SpinUntil([this, seen] { return generation_.load() != seen; })) {
      sleepers_.fetch_add(1);
      generation_.wait(seen);
      sleepers_.fetch_sub(1);
    }
    seen += 1;
    if (stopping_.load()) return;
    RunShare(thread);
    if (running_.fetch_sub(1) == 1) running_.notify_one();
  }
}

}  // namespace sfumato
