#ifndef SFUMATO_PLUGIN_CUDA_DRIVER_H_
#define SFUMATO_PLUGIN_CUDA_DRIVER_H_

#include <cstdint>
#include <string>

namespace sfumato::plugin {

/// The library that the driver of NVIDIA's GPUs installs.
constexpr const char* kCudaDriverLibrary = "libcuda.so.1";

/// Why the machine has no GPU of that number that CUDA could use; empty where it has one. Of the form
/// "name: value (expected: ...)".
std::string CudaDriverProblem(int32_t ordinal, const std::string& library = kCudaDriverLibrary);

}  // namespace sfumato::plugin

#endif  // SFUMATO_PLUGIN_CUDA_DRIVER_H_
