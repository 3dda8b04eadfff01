#ifndef SFUMATO_TEST_SIMT_SIMT_DEVICE_H_
#define SFUMATO_TEST_SIMT_SIMT_DEVICE_H_

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cuda/device.h"
#include "simt/harness.h"

namespace sfumato::test {

/// The harness as a device: its memory is the host's, and kernels reach what is allocated. Everything is done at once.
class SimtDevice : public cuda::Device {
 public:
  /// What became of those that are gone, for tests that reach a device through the C interface only.
  struct Record {
    int64_t allocated;
    int64_t reserved;
  };
  inline static Record last = {0, 0};
  /// Kernels until one fails, of all devices; -1 for none.
  inline static int64_t launches_left = -1;

  ~SimtDevice() override { last = {allocated_, reserved_}; }

  std::string Name() const override { return "simt"; }
  std::string Model() const override { return "harness on the CPU"; }

  void* Allocate(int64_t bytes) override {
    const auto size = static_cast<size_t>(bytes + cuda::kDeviceAlignment - 1) / cuda::kDeviceAlignment *
                      static_cast<size_t>(cuda::kDeviceAlignment);
    void* memory = std::aligned_alloc(static_cast<size_t>(cuda::kDeviceAlignment), size);
    std::memset(memory, 0, size);
    allocated_ += static_cast<int64_t>(size);
    cuda::harness::AddMemory(reinterpret_cast<uintptr_t>(memory), bytes);
    return memory;
  }
  void Free(void* memory) noexcept override {
    cuda::harness::RemoveMemory(reinterpret_cast<uintptr_t>(memory));
    std::free(memory);
  }
  /// Noted only: arrays stay apart from each other, so that accesses past their ends are found.
  void Reserve(int64_t bytes) override { reserved_ = bytes; }
  DeviceMemory Memory() const override { return {reserved_, kFreeBytes, kTotalBytes}; }
  /// Not known to kernels, which must not read it.
  void* AllocateHost(int64_t bytes) override { return std::malloc(static_cast<size_t>(bytes)); }
  void FreeHost(void* memory) noexcept override { std::free(memory); }

  void Upload(void* to, const void* from, int64_t bytes) override { Copy(to, from, bytes); }
  void Copy(void* to, const void* from, int64_t bytes) override { std::memcpy(to, from, static_cast<size_t>(bytes)); }
  void Clear(void* memory, int64_t bytes) override { std::memset(memory, 0, static_cast<size_t>(bytes)); }
  void Download(void* to, const void* from, int64_t bytes) override { Copy(to, from, bytes); }
  void Wait() override {}

  void Launch(const cuda::KernelCall& call) override {
    if (launches_left >= 0 && launches_left-- == 0) Fail(SFUMATO_INTERNAL, "CUDA", "a fault for a test", "none");
    if (call.start != nullptr) return call.start(call.arguments, nullptr);
    const auto run = reinterpret_cast<void (*)(const void*, void*)>(const_cast<void*>(call.function));
    cuda::harness::Run({call.name, call.threads, call.shared_bytes, call.arguments, run}, call.grid);
  }
  std::unique_ptr<cuda::CommandGraph> MakeGraph(const std::vector<cuda::Command>& commands) override {
    return std::make_unique<Graph>(*this, commands);
  }
  std::unique_ptr<cuda::Moment> Mark() override { return std::make_unique<Now>(); }

  static constexpr int64_t kFreeBytes = int64_t{1} << 30;
  static constexpr int64_t kTotalBytes = int64_t{2} << 30;

 private:
  class Graph : public cuda::CommandGraph {
   public:
    Graph(cuda::Device& device, const std::vector<cuda::Command>& commands) : device_(device), commands_(commands) {
      for (cuda::Command& command : commands_) {
        cuda::KernelCall& kernel = command.kernel;
        const auto* bytes = static_cast<const uint8_t*>(kernel.arguments);
        // In words, which are aligned as arguments must be.
        arguments_.emplace_back(static_cast<size_t>(kernel.argument_bytes + 15) / 16 * 2);
        if (kernel.argument_bytes > 0)
          std::memcpy(arguments_.back().data(), bytes, static_cast<size_t>(kernel.argument_bytes));
        kernel.arguments = arguments_.back().data();
      }
    }
    void Run() override {
      for (const cuda::Command& command : commands_) device_.Do(command);
    }

   private:
    cuda::Device& device_;
    std::vector<cuda::Command> commands_;
    std::deque<std::vector<uint64_t>> arguments_;
  };

  class Now : public cuda::Moment {
   public:
    void Wait() override {}
    int64_t NanosecondsSince(const cuda::Moment&) const override { return 1000; }
  };

  int64_t allocated_ = 0;
  int64_t reserved_ = 0;
};

}  // namespace sfumato::test

#endif  // SFUMATO_TEST_SIMT_SIMT_DEVICE_H_
