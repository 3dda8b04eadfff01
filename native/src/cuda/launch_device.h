#ifndef SFUMATO_CUDA_LAUNCH_DEVICE_H_
#define SFUMATO_CUDA_LAUNCH_DEVICE_H_

// Kernels as nvcc starts them; included by launch.h only.

namespace sfumato::cuda {

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads, 1) RunKernel(const __grid_constant__ Kernel kernel) {
  extern __shared__ __align__(16) unsigned char memory[];
  kernel(*reinterpret_cast<typename Kernel::Shared*>(memory));
}

/// By which the CUDA runtime knows the kernel.
template <class Kernel>
const void* KernelFunction() {
  return reinterpret_cast<const void*>(&RunKernel<Kernel>);
}

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_LAUNCH_DEVICE_H_
