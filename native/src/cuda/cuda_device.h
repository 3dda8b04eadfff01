#ifndef SFUMATO_CUDA_CUDA_DEVICE_H_
#define SFUMATO_CUDA_CUDA_DEVICE_H_

#include <cuda_runtime_api.h>

#include <string>

#include "cuda/device.h"

namespace sfumato::cuda {

/// A GPU by the CUDA runtime, with one stream.
class CudaDevice : public Device {
 public:
  /// Throws FAILED_PRECONDITION where there is no driver or no such GPU, or one that no kernel is compiled for.
  explicit CudaDevice(int ordinal);
  ~CudaDevice() override;

  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  std::string Name() const override { return name_; }

  void* Allocate(int64_t bytes) override;
  void Free(void* memory) noexcept override;
  void* AllocateHost(int64_t bytes) override;
  void FreeHost(void* memory) noexcept override;
  void Upload(void* to, const void* from, int64_t bytes) override;
  void Copy(void* to, const void* from, int64_t bytes) override;
  void Download(void* to, const void* from, int64_t bytes) override;
  void Start(const LibraryCall& call) override;

  /// Prepares a kernel once, and starts it.
  void LaunchFunction(const char* name, const void* function, bool& prepared, const Grid& grid, int threads,
                      int64_t shared_bytes, void** arguments);

 private:
  /// Throws INTERNAL unless the call went well; from then on every call does.
  void Check(const char* what, cudaError_t error);

  std::string name_;
  cudaStream_t stream_ = nullptr;
  /// The first failure: a GPU that failed once answers nothing that could be relied on.
  std::string failure_;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CUDA_DEVICE_H_
