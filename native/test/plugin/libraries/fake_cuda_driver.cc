// Stands for libcuda.so.1: as many devices as FAKE_CUDA_DEVICES of the environment says; without it the driver fails.
#include <cstdlib>

extern "C" {

__attribute__((visibility("default"))) int cuInit(unsigned) {
  return std::getenv("FAKE_CUDA_DEVICES") == nullptr ? 100 : 0;
}
__attribute__((visibility("default"))) int cuGetErrorName(int error, const char** name) {
  if (error != 100) return 1;
  *name = "CUDA_ERROR_NO_DEVICE";
  return 0;
}
__attribute__((visibility("default"))) int cuDeviceGetCount(int* count) {
  *count = std::atoi(std::getenv("FAKE_CUDA_DEVICES"));
  return 0;
}

}  // extern "C"
