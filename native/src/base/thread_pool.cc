#include "base/thread_pool.h"

#include <algorithm>
#include <chrono>

#include "base/error.h"

namespace sfumato {
namespace {

constexpr auto kSpinTime = std::chrono::microseconds(200);
constexpr int kPausesPerClockRead = 64;

constexpr int kTaskBits = 24;
constexpr uint64_t kTaskMask = (uint64_t{1} << kTaskBits) - 1;

uint64_t RangeNumber(uint64_t range) { return range >> (2 * kTaskBits); }
uint64_t TaskCount(uint64_t range) { return (range >> kTaskBits) & kTaskMask; }
uint64_t NextTask(uint64_t range) { return range & kTaskMask; }

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

void ThreadPool::Dispatch(int64_t tasks, const void* function, TaskFunction run_task) {
  CheckRange("tasks", tasks, 1, static_cast<int64_t>(kTaskMask));
  function_ = function;
  run_task_ = run_task;
  unfinished_.store(static_cast<int32_t>(tasks), std::memory_order_relaxed);
  const uint64_t number = (RangeNumber(range_.load(std::memory_order_relaxed)) + 1) & 0xffff;
  const uint64_t range = (number << (2 * kTaskBits)) | (static_cast<uint64_t>(tasks) << kTaskBits);
  range_.store(range);
  generation_.fetch_add(1);
  if (sleepers_.load() != 0) generation_.notify_all();
  RunTasks(range, 0);
  for (;;) {
    if (SpinUntil([this] { return unfinished_.load() == 0; })) return;
    const int32_t unfinished = unfinished_.load();
    if (unfinished != 0) unfinished_.wait(unfinished);
  }
}

void ThreadPool::RunTasks(uint64_t range, int thread) {
  const uint64_t number = RangeNumber(range);
  while (RangeNumber(range) == number && NextTask(range) < TaskCount(range)) {
    if (!range_.compare_exchange_weak(range, range + 1)) continue;
    run_task_(function_, static_cast<int64_t>(NextTask(range)), thread);
    if (unfinished_.fetch_sub(1) == 1) unfinished_.notify_one();
    range = range_.load();
  }
}

void ThreadPool::Work(int thread) {
  uint32_t seen = 0;
  for (;;) {
    if (!SpinUntil([this, seen] { return generation_.load() != seen; })) {
      sleepers_.fetch_add(1);
      generation_.wait(seen);
      sleepers_.fetch_sub(1);
    }
    seen = generation_.load();
    if (stopping_.load()) return;
    RunTasks(range_.load(), thread);
  }
}

}  // namespace sfumato
