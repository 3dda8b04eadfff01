#ifndef SFUMATO_CUDA_PLANNING_DEVICE_H_
#define SFUMATO_CUDA_PLANNING_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "cuda/device.h"

namespace sfumato::cuda {

/// No device, but a count of what would be allocated on one. Its memory has addresses and no contents; nothing is done.
class PlanningDevice : public Device {
 public:
  std::string Name() const override { return "plan"; }
  std::string Model() const override { return "plan"; }
  void* Allocate(int64_t bytes) override {
    const int64_t place = kFirst + allocated_;
    allocated_ += (bytes + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment;
    return reinterpret_cast<void*>(place);
  }
  void Free(void*) noexcept override {}
  void Reserve(int64_t) override {}
  DeviceMemory Memory() const override { return {}; }
  /// Of the host, where staging is written to.
  void* AllocateHost(int64_t bytes) override { return ::operator new(static_cast<size_t>(bytes)); }
  void FreeHost(void* memory) noexcept override { ::operator delete(memory); }
  void Upload(void*, const void*, int64_t) override {}
  void Download(void*, const void*, int64_t) override { Refuse(); }
  void Wait() override {}
  void Launch(const KernelCall&) override {}
  void Copy(void*, const void*, int64_t) override {}
  void Clear(void*, int64_t) override {}
  std::unique_ptr<CommandGraph> MakeGraph(const std::vector<Command>&) override { Refuse(); }
  std::unique_ptr<Moment> Mark() override { Refuse(); }
  bool plans_only() const override { return true; }

  int64_t allocated() const { return allocated_; }

 private:
  static constexpr int64_t kFirst = int64_t{1} << 40;

  [[noreturn]] static void Refuse() {
    Fail(SFUMATO_INTERNAL, "memory plan", "results of a device", "none before it is reserved");
  }

  int64_t allocated_ = 0;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_PLANNING_DEVICE_H_
