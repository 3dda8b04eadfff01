#ifndef SFUMATO_CUDA_DEVICE_H_
#define SFUMATO_CUDA_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/profile.h"
#include "cuda/simt.h"
#include "ops/device_memory.h"

namespace sfumato::cuda {

constexpr int64_t kDeviceAlignment = 256;

/// A kernel's start, or a library's product. Whoever keeps it copies the arguments, whose padding is zero.
struct KernelCall {
  const char* name;
  /// By which the device knows the kernel; null where a library starts its own.
  const void* function;
  const void* arguments;
  int64_t argument_bytes;
  int threads;  // of a block
  int64_t shared_bytes;
  Grid grid;
  /// What a library starts on the device's queue, which it is handed; null for kernels. Throws INTERNAL.
  void (*start)(const void* arguments, void* queue) = nullptr;
};

/// Something that a device does by itself: a kernel, or numbers of its memory copied (from is not null) or made zero.
struct Command {
  KernelCall kernel = {};  // without name for the others
  void* to = nullptr;
  const void* from = nullptr;
  int64_t bytes = 0;
};

/// Commands that were checked and brought to the device once, to be run many times.
class CommandGraph {
 public:
  virtual ~CommandGraph() = default;
  /// As each command after the one before.
  virtual void Run() = 0;
};

/// A moment in a device's work.
class Moment {
 public:
  virtual ~Moment() = default;
  /// Until everything before it is done.
  virtual void Wait() = 0;
  /// After both have been waited for.
  virtual int64_t NanosecondsSince(const Moment& earlier) const = 0;
};

/// A device's memory and its one queue of work: a GPU by the CUDA runtime, or the harness of the tests. What is asked for
/// is done in order. Confined to the engine's thread. Everything throws INTERNAL when the device fails.
class Device {
 public:
  virtual ~Device() = default;

  /// E.g. "sm_90".
  virtual std::string Name() const = 0;
  /// E.g. "cuda:0 NVIDIA H100 80GB HBM3".
  virtual std::string Model() const = 0;

  /// Zeros, at a multiple of kDeviceAlignment. Throws RESOURCE_EXHAUSTED.
  virtual void* Allocate(int64_t bytes) = 0;
  virtual void Free(void* memory) noexcept = 0;
  /// Takes so many bytes at once, for what Allocate is asked for from now on.
  virtual void Reserve(int64_t bytes) = 0;
  virtual DeviceMemory Memory() const = 0;
  /// Memory of the host that the device copies from and to directly.
  virtual void* AllocateHost(int64_t bytes) = 0;
  virtual void FreeHost(void* memory) noexcept = 0;

  /// From the host. Memory of AllocateHost must stay as it is until the device is waited for.
  virtual void Upload(void* to, const void* from, int64_t bytes) = 0;
  /// To the host, when everything before is done; waits for it.
  virtual void Download(void* to, const void* from, int64_t bytes) = 0;
  /// Until everything is done.
  virtual void Wait() = 0;

  virtual void Launch(const KernelCall& call) = 0;
  virtual void Copy(void* to, const void* from, int64_t bytes) = 0;
  virtual void Clear(void* memory, int64_t bytes) = 0;
  void Do(const Command& command) {
    if (command.kernel.name != nullptr) {
      Launch(command.kernel);
    } else if (command.from != nullptr) {
      Copy(command.to, command.from, command.bytes);
    } else {
      Clear(command.to, command.bytes);
    }
  }
  /// The commands' arguments are copied.
  virtual std::unique_ptr<CommandGraph> MakeGraph(const std::vector<Command>& commands) = 0;

  virtual std::unique_ptr<Moment> Mark() = 0;
  /// Where kernels are measured: what the next one is for, and where times go.
  virtual void Label(const char*) {}
  virtual void WriteProfile(Profile&) {}
  /// Whether it only counts what is allocated.
  virtual bool plans_only() const { return false; }
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
