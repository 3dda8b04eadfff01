#ifndef SFUMATO_TEST_SIMT_HARNESS_H_
#define SFUMATO_TEST_SIMT_HARNESS_H_

// Runs kernels of src/cuda on the CPU and checks what a device would not: the threads of a block are fibers that give
// way to each other at barriers and collective operations only. docs/decisions/0060 says what is found and what isn't.

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>

#include "cuda/simt.h"

namespace sfumato::cuda::harness {

/// A kernel broke a rule.
class Fault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Memory that kernels may reach; whatever the test allocates by operator new is known already.
void AddMemory(uintptr_t begin, int64_t bytes);
void RemoveMemory(uintptr_t begin);

struct Launched {
  const char* kernel;
  int threads;
  int64_t shared_bytes;
  const void* arguments;
  void (*run)(const void* arguments, void* shared);
};

/// Runs the blocks one after the other. Throws Fault with the first broken rule.
void Run(const Launched& launched, const Grid& grid);

/// One thread of the kernel.
template <class Kernel>
void RunKernel(const void* arguments, void* shared) {
  (*static_cast<const Kernel*>(arguments))(*static_cast<typename Kernel::Shared*>(shared));
}

template <class Kernel>
void Run(const Kernel& kernel, const Grid& grid) {
  static_assert(Kernel::kThreads % kWarpThreads == 0 && Kernel::kThreads <= 1024);
  Run({Kernel::kName, Kernel::kThreads, sizeof(typename Kernel::Shared), &kernel, &RunKernel<Kernel>}, grid);
}

}  // namespace sfumato::cuda::harness

#endif  // SFUMATO_TEST_SIMT_HARNESS_H_
