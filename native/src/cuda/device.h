#ifndef SFUMATO_CUDA_DEVICE_H_
#define SFUMATO_CUDA_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda/simt.h"

namespace sfumato::cuda {

/// What a library starts on a device's queue by itself. Whoever keeps it copies the arguments, whose padding is zero.
struct LibraryCall {
  const char* name;
  /// With the queue as the library knows it. Throws INTERNAL.
  void (*start)(const void* arguments, void* queue);
  const void* arguments;
  int64_t argument_bytes;
};

/// A device's memory and its one queue of work: a GPU by the CUDA runtime, or the harness of the tests. What is asked for
/// is done in order. Confined to the engine's thread. Everything throws INTERNAL when the device fails.
class Device {
 public:
  virtual ~Device() = default;

  /// E.g. "sm_90".
  virtual std::string Name() const = 0;

  /// Zeros, at a multiple of 256 bytes. Throws RESOURCE_EXHAUSTED.
  virtual void* Allocate(int64_t bytes) = 0;
  virtual void Free(void* memory) noexcept = 0;
  /// Memory of the host that the device copies from and to directly.
  virtual void* AllocateHost(int64_t bytes) = 0;
  virtual void FreeHost(void* memory) noexcept = 0;

  /// From the host. Memory of AllocateHost must stay as it is until the next Download.
  virtual void Upload(void* to, const void* from, int64_t bytes) = 0;
  virtual void Copy(void* to, const void* from, int64_t bytes) = 0;
  /// To the host, when everything before is done; waits for it.
  virtual void Download(void* to, const void* from, int64_t bytes) = 0;

  virtual void Start(const LibraryCall& call) = 0;
};

/// Runs a kernel's blocks. Defined for each kernel by the files launch_*.cu.
template <class Kernel>
void Launch(Device& device, const Kernel& kernel, const Grid& grid);

/// An array in a device's memory, zeros at first.
template <class T>
class DeviceArray {
 public:
  DeviceArray() = default;
  DeviceArray(Device& device, int64_t size)
      : size_(size),
        data_(size == 0 ? nullptr : static_cast<T*>(device.Allocate(size * static_cast<int64_t>(sizeof(T)))),
              Release{&device}) {}

  T* data() const { return data_.get(); }
  int64_t size() const { return size_; }
  int64_t bytes() const { return size_ * static_cast<int64_t>(sizeof(T)); }

 private:
  struct Release {
    Device* device = nullptr;
    void operator()(T* data) const { device->Free(data); }
  };

  int64_t size_ = 0;
  std::unique_ptr<T, Release> data_;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_DEVICE_H_
