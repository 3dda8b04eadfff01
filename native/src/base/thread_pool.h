#ifndef SFUMATO_BASE_THREAD_POOL_H_
#define SFUMATO_BASE_THREAD_POOL_H_

#include <atomic>
#include <cstdint>
#include <thread>
#include <type_traits>
#include <vector>

namespace sfumato {

/// A fixed set of threads that share a range of tasks; the caller is one of them. Whoever is free takes the next task,
/// so a thread that the system keeps from running delays the task it holds and no other. Which thread runs a task is
/// left open: tasks must not depend on it. Idle threads spin for a short while, since the next range of a step comes
/// within microseconds, and then sleep.
///
/// Confined to one calling thread at a time. Allocates nothing after construction.
class ThreadPool {
 public:
  /// threads: 1..256, the caller included.
  explicit ThreadPool(int threads);
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  /// Calls function(task, thread) for each task of 0..tasks-1, at most 2^24 - 1, and returns when all are done. Functions
  /// must not throw.
  template <class Function>
  void Run(int64_t tasks, const Function& function) {
    static_assert(std::is_nothrow_invocable_v<const Function&, int64_t, int>,
                  "tasks run on threads that cannot report exceptions");
    if (threads_ == 1 || tasks <= 1) {
      for (int64_t task = 0; task < tasks; ++task) function(task, 0);
      return;
    }
    Dispatch(tasks, &function,
             [](const void* f, int64_t task, int thread) { (*static_cast<const Function*>(f))(task, thread); });
  }

 private:
  using TaskFunction = void (*)(const void* function, int64_t task, int thread);

  void Dispatch(int64_t tasks, const void* function, TaskFunction run_task);
  /// Takes tasks of the given range until none is left.
  void RunTasks(uint64_t range, int thread);
  void Work(int thread);

  const int threads_;
  std::vector<std::thread> workers_;

  const void* function_ = nullptr;
  TaskFunction run_task_ = nullptr;

  /// The range at work in one word, so that a late thread can never take a task of a range that is over: its number in
  /// the upper 16 bits, then 24 bits with the number of tasks, then 24 bits with the next task to take.
  alignas(64) std::atomic<uint64_t> range_{0};
  alignas(64) std::atomic<int32_t> unfinished_{0};
  /// Raised with every range; what idle threads wait for.
  alignas(64) std::atomic<uint32_t> generation_{0};
  alignas(64) std::atomic<uint32_t> sleepers_{0};
  alignas(64) std::atomic<bool> stopping_{false};
};

}  // namespace sfumato

#endif  // SFUMATO_BASE_THREAD_POOL_H_
