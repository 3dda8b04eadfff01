#ifndef SFUMATO_CUDA_LAUNCH_H_
#define SFUMATO_CUDA_LAUNCH_H_

// Defines Launch of device.h for the kernels of one file. The same files are compiled by nvcc, and by the tests'
// compiler against the harness.

#include "cuda/device.h"

#if defined(__CUDACC__)
#include "cuda/launch_device.h"
#else
#include "simt/harness.h"

namespace sfumato::cuda {

template <class Kernel>
void Launch(Device&, const Kernel& kernel, const Grid& grid) {
  harness::Run(kernel, grid);
}

}  // namespace sfumato::cuda
#endif

#define SFUMATO_LAUNCH(...) template void Launch(Device&, const __VA_ARGS__&, const Grid&);

#endif  // SFUMATO_CUDA_LAUNCH_H_
