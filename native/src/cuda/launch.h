#ifndef SFUMATO_CUDA_LAUNCH_H_
#define SFUMATO_CUDA_LAUNCH_H_

// Defines Launch of device.h for the kernels of one file. The same files are compiled by nvcc, and by the tests'
// compiler against the harness.

#include <cstring>

#include "cuda/device.h"

#if defined(__CUDACC__)
#include "cuda/launch_device.h"
#else
#include "simt/harness.h"

namespace sfumato::cuda {

/// By which the harness knows the kernel.
template <class Kernel>
const void* KernelFunction() {
  return reinterpret_cast<const void*>(&harness::RunKernel<Kernel>);
}

}  // namespace sfumato::cuda
#endif

namespace sfumato::cuda {

template <class Kernel>
void Launch(Device& device, const Kernel& kernel, const Grid& grid) {
  // Equal arguments are equal bytes: see GraphDevice.
  alignas(Kernel) unsigned char arguments[sizeof(Kernel)];
  std::memcpy(arguments, &kernel, sizeof(Kernel));
  __builtin_clear_padding(reinterpret_cast<Kernel*>(arguments));
  device.Launch({Kernel::kName, KernelFunction<Kernel>(), arguments, sizeof(Kernel), Kernel::kThreads,
                 sizeof(typename Kernel::Shared), grid});
}

}  // namespace sfumato::cuda

#define SFUMATO_LAUNCH(...) template void Launch(Device&, const __VA_ARGS__&, const Grid&);

#endif  // SFUMATO_CUDA_LAUNCH_H_
