#ifndef SFUMATO_CUDA_CUDA_DEVICE_H_
#define SFUMATO_CUDA_CUDA_DEVICE_H_

#include <cuda_runtime_api.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cuda/device.h"

namespace sfumato::cuda {

/// A GPU by the CUDA runtime, with one stream.
class CudaDevice : public Device {
 public:
  /// Throws FAILED_PRECONDITION where the driver is older than the runtime, or where there is no such GPU, or one that no
  /// kernel is compiled for.
  explicit CudaDevice(int ordinal);
  ~CudaDevice() override;

  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  /// Throws FAILED_PRECONDITION where it has no code for products of inputs in E4M3.
  void CheckFloat8Products() const;

  std::string Name() const override { return name_; }
  std::string Model() const override { return model_; }

  void* Allocate(int64_t bytes) override;
  void Free(void* memory) noexcept override;
  void Reserve(int64_t bytes) override;
  DeviceMemory Memory() const override { return {reserved_, free_before_, total_}; }
  void* AllocateHost(int64_t bytes) override;
  void FreeHost(void* memory) noexcept override;
  void Upload(void* to, const void* from, int64_t bytes) override;
  void Download(void* to, const void* from, int64_t bytes) override;
  void Wait() override;
  void Launch(const KernelCall& call) override;
  void Copy(void* to, const void* from, int64_t bytes) override;
  void Clear(void* memory, int64_t bytes) override;
  std::unique_ptr<CommandGraph> MakeGraph(const std::vector<Command>& commands) override;
  std::unique_ptr<Moment> Mark() override;

 private:
  class Graph;
  class Event;

  /// Throws INTERNAL unless the call went well; from then on every call does.
  void Check(const char* what, cudaError_t error);
  /// Makes this GPU the calling thread's: steps may come from another thread than the one that opened the engine.
  void Use();
  /// Allows a kernel the shared memory that it needs, once.
  void Prepare(const KernelCall& call);
  void* AllocateApart(int64_t bytes);

  const int ordinal_;
  int capability_ = 0;
  std::string name_;
  std::string model_;
  cudaStream_t stream_ = nullptr;
  std::set<const void*> prepared_;
  uint8_t* arena_ = nullptr;
  int64_t reserved_ = 0;
  int64_t used_ = 0;
  int64_t free_before_ = 0;
  int64_t total_ = 0;
  /// The first failure: a GPU that failed once answers nothing that could be relied on.
  std::string failure_;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_CUDA_DEVICE_H_
