#include "cuda/cuda_device.h"

#include "base/error.h"

namespace sfumato::cuda {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

std::string TextOf(cudaError_t error) {
  return std::string(cudaGetErrorName(error)) + ": " + cudaGetErrorString(error);
}

}  // namespace

CudaDevice::CudaDevice(int ordinal) {
  int count = 0;
  const cudaError_t found = cudaGetDeviceCount(&count);
  if (found != cudaSuccess) Fail(SFUMATO_FAILED_PRECONDITION, "CUDA", TextOf(found), "a driver and a GPU");
  if (ordinal >= count)
    Fail(SFUMATO_FAILED_PRECONDITION, "CUDA device", ordinal, "one of the machine's " + std::to_string(count));
  Check("cudaSetDevice", cudaSetDevice(ordinal));
  int major = 0;
  int minor = 0;
  Check("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal));
  Check("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, ordinal));
  name_ = "sm_" + std::to_string(major * 10 + minor);
  if (major < 8) Fail(SFUMATO_FAILED_PRECONDITION, "CUDA device", name_, "sm_80 or newer");
  Check("cudaStreamCreate", cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
}

CudaDevice::~CudaDevice() {
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

void CudaDevice::Check(const char* what, cudaError_t error) {
  if (failure_.empty() && error != cudaSuccess) failure_ = std::string(what) + ": " + TextOf(error);
  if (!failure_.empty()) Fail(SFUMATO_INTERNAL, "CUDA", failure_, "a device without faults");
}

void* CudaDevice::Allocate(int64_t bytes) {
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, static_cast<size_t>(bytes));
  if (error == cudaErrorMemoryAllocation) {
    size_t free_bytes = 0;
    size_t total_bytes = 0;
    cudaMemGetInfo(&free_bytes, &total_bytes);
    Fail(SFUMATO_RESOURCE_EXHAUSTED, "GPU memory", std::to_string(bytes / kMebibyte) + " MiB more",
         "at most " + std::to_string(free_bytes / kMebibyte) + " MiB, which are free of " +
             std::to_string(total_bytes / kMebibyte));
  }
  Check("cudaMalloc", error);
  Check("cudaMemset", cudaMemsetAsync(memory, 0, static_cast<size_t>(bytes), stream_));
  return memory;
}

void CudaDevice::Free(void* memory) noexcept { cudaFree(memory); }

void* CudaDevice::AllocateHost(int64_t bytes) {
  void* memory = nullptr;
  Check("cudaMallocHost", cudaMallocHost(&memory, static_cast<size_t>(bytes)));
  return memory;
}

void CudaDevice::FreeHost(void* memory) noexcept { cudaFreeHost(memory); }

void CudaDevice::Upload(void* to, const void* from, int64_t bytes) {
  Check("upload", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, stream_));
}

void CudaDevice::Copy(void* to, const void* from, int64_t bytes) {
  Check("copy", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice, stream_));
}

void CudaDevice::Download(void* to, const void* from, int64_t bytes) {
  Check("download", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream_));
  Check("step", cudaStreamSynchronize(stream_));
}

void CudaDevice::Start(const LibraryCall& call) {
  Check(call.name, cudaSuccess);
  call.start(call.arguments, stream_);
}

void CudaDevice::LaunchFunction(const char* name, const void* function, bool& prepared, const Grid& grid, int threads,
                                int64_t shared_bytes, void** arguments) {
  if (!prepared) {
    Check(name,
          cudaFuncSetAttribute(function, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes)));
    prepared = true;
  }
  const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
  Check(name, cudaLaunchKernel(function, blocks, dim3(static_cast<unsigned>(threads)), arguments,
                               static_cast<size_t>(shared_bytes), stream_));
}

}  // namespace sfumato::cuda
