#ifndef SFUMATO_TEST_SIMT_SIMT_DEVICE_H_
#define SFUMATO_TEST_SIMT_SIMT_DEVICE_H_

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "cuda/device.h"
#include "simt/harness.h"

namespace sfumato::test {

/// The harness as a device: its memory is the host's, and kernels reach what is allocated.
class SimtDevice : public cuda::Device {
 public:
  std::string Name() const override { return "simt"; }

  void* Allocate(int64_t bytes) override {
    const auto size = static_cast<size_t>(bytes + 255) / 256 * 256;
    void* memory = std::aligned_alloc(256, size);
    std::memset(memory, 0, size);
    cuda::harness::AddMemory(reinterpret_cast<uintptr_t>(memory), bytes);
    return memory;
  }
  void Free(void* memory) noexcept override {
    cuda::harness::RemoveMemory(reinterpret_cast<uintptr_t>(memory));
    std::free(memory);
  }
  /// Not known to kernels, which must not read it.
  void* AllocateHost(int64_t bytes) override { return std::malloc(static_cast<size_t>(bytes)); }
  void FreeHost(void* memory) noexcept override { std::free(memory); }

  void Upload(void* to, const void* from, int64_t bytes) override { Copy(to, from, bytes); }
  void Copy(void* to, const void* from, int64_t bytes) override { std::memcpy(to, from, static_cast<size_t>(bytes)); }
  void Download(void* to, const void* from, int64_t bytes) override { Copy(to, from, bytes); }

  void Start(const cuda::LibraryCall& call) override { call.start(call.arguments, nullptr); }
};

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_SIMT_SIMT_DEVICE_H_
