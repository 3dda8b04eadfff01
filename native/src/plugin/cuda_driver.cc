#include "plugin/cuda_driver.h"

#include <dlfcn.h>

namespace sfumato::plugin {
namespace {

// The driver's own interface, of which these have stayed as they are: cuda.h is not needed to build.
using Initialize = int (*)(unsigned flags);
using GetErrorName = int (*)(int error, const char** name);
using CountDevices = int (*)(int* count);

std::string Problem(const std::string& name, const std::string& value, const std::string& expected) {
  return name + ": " + value + " (expected: " + expected + ")";
}

template <class Function>
Function Find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

std::string ErrorText(void* library, int error) {
  const char* name = nullptr;
  const auto name_of = Find<GetErrorName>(library, "cuGetErrorName");
  if (name_of != nullptr && name_of(error, &name) == 0 && name != nullptr) return name;
  return "error " + std::to_string(error);
}

}  // namespace

std::string CudaDriverProblem(int32_t ordinal, const std::string& library) {
  // Never closed: a driver does not expect it.
  void* driver = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) {
    const char* error = dlerror();
    return Problem("CUDA driver", error == nullptr ? "no " + library : error, "the driver of an NVIDIA GPU");
  }
  const auto initialize = Find<Initialize>(driver, "cuInit");
  const auto count_devices = Find<CountDevices>(driver, "cuDeviceGetCount");
  if (initialize == nullptr || count_devices == nullptr)
    return Problem("CUDA driver", library + " without cuInit or cuDeviceGetCount", "the driver of an NVIDIA GPU");
  int count = 0;
  int error = initialize(0);
  if (error == 0) error = count_devices(&count);
  if (error != 0) return Problem("CUDA driver", ErrorText(driver, error), "a driver that finds its GPU");
  if (count == 0) return Problem("CUDA devices", "none", "an NVIDIA GPU that CUDA_VISIBLE_DEVICES does not hide");
  if (ordinal >= count) {
    return Problem("device_ordinal", std::to_string(ordinal),
                   "0.." + std::to_string(count - 1) + ", of the GPUs that CUDA sees");
  }
  return "";
}

}  // namespace sfumato::plugin
