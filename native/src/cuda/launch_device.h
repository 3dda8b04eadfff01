#ifndef SFUMATO_CUDA_LAUNCH_DEVICE_H_
#define SFUMATO_CUDA_LAUNCH_DEVICE_H_

// Launch of device.h by the CUDA runtime; included by launch.h only.

#include "cuda/cuda_device.h"

namespace sfumato::cuda {

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads, 1) RunKernel(const __grid_constant__ Kernel kernel) {
  extern __shared__ __align__(16) unsigned char memory[];
  kernel(*reinterpret_cast<typename Kernel::Shared*>(memory));
}

template <class Kernel>
void Launch(Device& device, const Kernel& kernel, const Grid& grid) {
  static bool prepared = false;
  void* arguments[] = {const_cast<Kernel*>(&kernel)};
  static_cast<CudaDevice&>(device).LaunchFunction(Kernel::kName, reinterpret_cast<const void*>(&RunKernel<Kernel>),
                                                  prepared, grid, Kernel::kThreads, sizeof(typename Kernel::Shared),
                                                  arguments);
}

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_LAUNCH_DEVICE_H_
