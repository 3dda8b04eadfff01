#ifndef SFUMATO_CUDA_PROFILING_DEVICE_H_
#define SFUMATO_CUDA_PROFILING_DEVICE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/device.h"

namespace sfumato::cuda {

/// A device that measures each kernel, from its start to its end there. The gaps between kernels grow by that; what it
/// tells is the time inside of them.
class ProfilingDevice : public Device {
 public:
  explicit ProfilingDevice(std::unique_ptr<Device> device) : device_(std::move(device)) {}

  std::string Name() const override { return device_->Name(); }
  std::string Model() const override { return device_->Model(); }
  void* Allocate(int64_t bytes) override { return device_->Allocate(bytes); }
  void Free(void* memory) noexcept override { device_->Free(memory); }
  void Reserve(int64_t bytes) override { device_->Reserve(bytes); }
  DeviceMemory Memory() const override { return device_->Memory(); }
  void* AllocateHost(int64_t bytes) override { return device_->AllocateHost(bytes); }
  void FreeHost(void* memory) noexcept override { device_->FreeHost(memory); }
  void Upload(void* to, const void* from, int64_t bytes) override { device_->Upload(to, from, bytes); }
  void Download(void* to, const void* from, int64_t bytes) override { device_->Download(to, from, bytes); }
  void Wait() override { device_->Wait(); }
  void Launch(const KernelCall& call) override {
    std::string name = call.name;
    if (label_ != nullptr) name += std::string(" ") + label_;
    label_ = nullptr;
    std::unique_ptr<Moment> begin = device_->Mark();
    device_->Launch(call);
    spans_.push_back({std::move(name), std::move(begin), device_->Mark()});
  }
  void Copy(void* to, const void* from, int64_t bytes) override { device_->Copy(to, from, bytes); }
  void Clear(void* memory, int64_t bytes) override { device_->Clear(memory, bytes); }
  std::unique_ptr<CommandGraph> MakeGraph(const std::vector<Command>& commands) override {
    return device_->MakeGraph(commands);
  }
  std::unique_ptr<Moment> Mark() override { return device_->Mark(); }
  void Label(const char* label) override { label_ = label; }
  void WriteProfile(Profile& profile) override {
    for (const Span& span : spans_) {
      span.end->Wait();
      profile.AddKernel(span.name, span.end->NanosecondsSince(*span.begin));
    }
    spans_.clear();
  }
  bool plans_only() const override { return device_->plans_only(); }

 private:
  struct Span {
    std::string name;
    std::unique_ptr<Moment> begin;
    std::unique_ptr<Moment> end;
  };

  std::unique_ptr<Device> device_;
  const char* label_ = nullptr;
  std::vector<Span> spans_;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_PROFILING_DEVICE_H_
