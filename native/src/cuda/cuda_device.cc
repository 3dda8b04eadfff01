#include "cuda/cuda_device.h"

#include <iterator>
#include <map>
#include <mutex>
#include <sstream>

#include "base/error.h"
#include "cuda/capability.h"

namespace sfumato::cuda {
namespace {

constexpr int64_t kMebibyte = 1 << 20;

std::string TextOf(cudaError_t error) {
  return std::string(cudaGetErrorName(error)) + ": " + cudaGetErrorString(error);
}

std::string VersionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

/// A list of those that kernels of this library are compiled for.
std::vector<std::string> Architectures(const char* list) {
  std::istringstream words(list);
  return {std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()};
}

/// Before anything that needs the driver, whose answers would be less clear.
void CheckDriver() {
  int driver = 0;
  int runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  // A driver runs every runtime of its own major version.
  if (driver / 1000 < runtime / 1000) {
    Fail(SFUMATO_FAILED_PRECONDITION, "CUDA driver", driver == 0 ? "none" : "for CUDA " + VersionText(driver),
         "one for CUDA " + std::to_string(runtime / 1000) + ".0 or newer, since this library was built with " +
             VersionText(runtime));
  }
}

/// Engines of this process on each GPU. A fault of a kernel breaks everything that the process has on a GPU; when the last
/// of it is gone, a reset lets new engines work.
std::mutex users_mutex;
std::map<int, int>& Users() {
  static std::map<int, int> users;
  return users;
}

}  // namespace

class CudaDevice::Graph : public CommandGraph {
 public:
  Graph(CudaDevice& device, const std::vector<Command>& commands) : device_(device) {
    device_.Use();
    cudaGraph_t graph = nullptr;
    device_.Check("cudaGraphCreate", cudaGraphCreate(&graph, 0));
    try {
      cudaGraphNode_t last = nullptr;
      for (const Command& command : commands) last = Add(graph, last, command);
      device_.Check("cudaGraphInstantiate", cudaGraphInstantiate(&executable_, graph, 0));
    } catch (...) {
      cudaGraphDestroy(graph);
      throw;
    }
    cudaGraphDestroy(graph);
  }
  ~Graph() override {
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
  }

  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void Run() override {
    device_.Use();
    device_.Check("cudaGraphLaunch", cudaGraphLaunch(executable_, device_.stream_));
  }

 private:
  /// Behind the last node, if there is one.
  cudaGraphNode_t Add(cudaGraph_t graph, cudaGraphNode_t last, const Command& command) {
    cudaGraphNode_t node = nullptr;
    const cudaGraphNode_t* behind = last == nullptr ? nullptr : &last;
    const size_t behind_count = last == nullptr ? 0 : 1;
    const KernelCall& call = command.kernel;
    if (call.start != nullptr) {
      node = AddStarted(graph, behind, behind_count, call);
    } else if (call.function != nullptr) {
      device_.Prepare(call);
      void* arguments[] = {const_cast<void*>(call.arguments)};
      cudaKernelNodeParams parameters = {};
      parameters.func = const_cast<void*>(call.function);
      parameters.gridDim = dim3(static_cast<unsigned>(call.grid.x), static_cast<unsigned>(call.grid.y),
                                static_cast<unsigned>(call.grid.z));
      parameters.blockDim = dim3(static_cast<unsigned>(call.threads));
      parameters.sharedMemBytes = static_cast<unsigned>(call.shared_bytes);
      parameters.kernelParams = arguments;
      device_.Check(call.name, cudaGraphAddKernelNode(&node, graph, behind, behind_count, &parameters));
    } else if (command.from != nullptr) {
      device_.Check("copy", cudaGraphAddMemcpyNode1D(&node, graph, behind, behind_count, command.to, command.from,
                                                     static_cast<size_t>(command.bytes), cudaMemcpyDeviceToDevice));
    } else {
      cudaMemsetParams parameters = {};
      parameters.dst = command.to;
      parameters.elementSize = 1;
      parameters.width = static_cast<size_t>(command.bytes);
      parameters.height = 1;
      device_.Check("clear", cudaGraphAddMemsetNode(&node, graph, behind, behind_count, &parameters));
    }
    return node;
  }

  /// What a library starts, as a graph of its own.
  cudaGraphNode_t AddStarted(cudaGraph_t graph, const cudaGraphNode_t* behind, size_t behind_count,
                             const KernelCall& call) {
    device_.Check(call.name, cudaStreamBeginCapture(device_.stream_, cudaStreamCaptureModeThreadLocal));
    cudaGraph_t started = nullptr;
    try {
      call.start(call.arguments, device_.stream_);
    } catch (...) {
      cudaStreamEndCapture(device_.stream_, &started);
      if (started != nullptr) cudaGraphDestroy(started);
      throw;
    }
    device_.Check(call.name, cudaStreamEndCapture(device_.stream_, &started));
    cudaGraphNode_t node = nullptr;
    const cudaError_t error = cudaGraphAddChildGraphNode(&node, graph, behind, behind_count, started);
    cudaGraphDestroy(started);  // the node has a copy
    device_.Check(call.name, error);
    return node;
  }

  CudaDevice& device_;
  cudaGraphExec_t executable_ = nullptr;
};

class CudaDevice::Event : public Moment {
 public:
  explicit Event(CudaDevice& device) : device_(device) {
    device_.Use();
    device_.Check("cudaEventCreate", cudaEventCreate(&event_));
    const cudaError_t error = cudaEventRecord(event_, device_.stream_);
    if (error == cudaSuccess) return;
    cudaEventDestroy(event_);
    device_.Check("cudaEventRecord", error);
  }
  ~Event() override { cudaEventDestroy(event_); }

  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Wait() override { device_.Check("cudaEventSynchronize", cudaEventSynchronize(event_)); }
  int64_t NanosecondsSince(const Moment& earlier) const override {
    float milliseconds = 0;
    device_.Check("cudaEventElapsedTime",
                  cudaEventElapsedTime(&milliseconds, static_cast<const Event&>(earlier).event_, event_));
    return static_cast<int64_t>(static_cast<double>(milliseconds) * 1e6);
  }

 private:
  CudaDevice& device_;
  cudaEvent_t event_ = nullptr;
};

CudaDevice::CudaDevice(int ordinal) : ordinal_(ordinal) {
  CheckDriver();
  int count = 0;
  const cudaError_t found = cudaGetDeviceCount(&count);
  if (found != cudaSuccess) Fail(SFUMATO_FAILED_PRECONDITION, "CUDA", TextOf(found), "a driver and a GPU");
  if (ordinal >= count)
    Fail(SFUMATO_FAILED_PRECONDITION, "device_ordinal", ordinal, "0.." + std::to_string(count - 1) + ", of the GPUs");
  int major = 0;
  int minor = 0;
  Check("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, ordinal));
  Check("cudaDeviceGetAttribute", cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, ordinal));
  capability_ = major * 10 + minor;
  CheckCapability(capability_, Architectures(SFUMATO_CUDA_ARCHITECTURES));
  name_ = "sm_" + std::to_string(capability_);
  cudaDeviceProp properties = {};
  Check("cudaGetDeviceProperties", cudaGetDeviceProperties(&properties, ordinal));
  model_ = "cuda:" + std::to_string(ordinal) + " " + properties.name;
  Check("cudaSetDevice", cudaSetDevice(ordinal));
  size_t free_bytes = 0;
  size_t total_bytes = 0;
  Check("cudaMemGetInfo", cudaMemGetInfo(&free_bytes, &total_bytes));
  free_before_ = static_cast<int64_t>(free_bytes);
  total_ = static_cast<int64_t>(total_bytes);
  Check("cudaStreamCreate", cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
  const std::lock_guard lock(users_mutex);
  Users()[ordinal] += 1;
}

void CudaDevice::CheckFloat8Products() const {
  CheckFloat8Capability(capability_, Architectures(SFUMATO_CUDA_FP8_ARCHITECTURES));
}

CudaDevice::~CudaDevice() {
  cudaSetDevice(ordinal_);
  if (arena_ != nullptr) cudaFree(arena_);
  cudaStreamDestroy(stream_);
  const std::lock_guard lock(users_mutex);
  if (--Users()[ordinal_] == 0 && !failure_.empty()) cudaDeviceReset();
}

void CudaDevice::Check(const char* what, cudaError_t error) {
  if (failure_.empty() && error != cudaSuccess) failure_ = std::string(what) + ": " + TextOf(error);
  if (!failure_.empty()) Fail(SFUMATO_INTERNAL, "CUDA", failure_, "a device without faults");
}

void CudaDevice::Use() { Check("cudaSetDevice", cudaSetDevice(ordinal_)); }

void* CudaDevice::AllocateApart(int64_t bytes) {
  Use();
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, static_cast<size_t>(bytes));
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // it stays until it is asked for
    size_t free_bytes = 0;
    size_t total_bytes = 0;
    Check("cudaMemGetInfo", cudaMemGetInfo(&free_bytes, &total_bytes));
    Fail(SFUMATO_RESOURCE_EXHAUSTED, "GPU memory", std::to_string(bytes / kMebibyte) + " MiB more",
         "at most " + std::to_string(free_bytes / kMebibyte) + " MiB in one piece, which are free of " +
             std::to_string(total_bytes / kMebibyte));
  }
  Check("cudaMalloc", error);
  Check("cudaMemset", cudaMemsetAsync(memory, 0, static_cast<size_t>(bytes), stream_));
  return memory;
}

void CudaDevice::Reserve(int64_t bytes) {
  arena_ = static_cast<uint8_t*>(AllocateApart(bytes));
  reserved_ = bytes;
}

void* CudaDevice::Allocate(int64_t bytes) {
  const int64_t size = (bytes + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment;
  if (size > reserved_ - used_) return AllocateApart(bytes);
  uint8_t* memory = arena_ + used_;
  used_ += size;
  return memory;
}

void CudaDevice::Free(void* memory) noexcept {
  auto* place = static_cast<uint8_t*>(memory);
  // The arena goes as a whole, when the engine closes.
  if (place < arena_ || place >= arena_ + reserved_) cudaFree(memory);
}

void* CudaDevice::AllocateHost(int64_t bytes) {
  Use();
  void* memory = nullptr;
  Check("cudaMallocHost", cudaMallocHost(&memory, static_cast<size_t>(bytes)));
  return memory;
}

void CudaDevice::FreeHost(void* memory) noexcept { cudaFreeHost(memory); }

void CudaDevice::Upload(void* to, const void* from, int64_t bytes) {
  Use();
  Check("upload", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, stream_));
}

void CudaDevice::Copy(void* to, const void* from, int64_t bytes) {
  Use();
  Check("copy", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToDevice, stream_));
}

void CudaDevice::Clear(void* memory, int64_t bytes) {
  Use();
  Check("clear", cudaMemsetAsync(memory, 0, static_cast<size_t>(bytes), stream_));
}

void CudaDevice::Download(void* to, const void* from, int64_t bytes) {
  Use();
  Check("download", cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), cudaMemcpyDeviceToHost, stream_));
  Wait();
}

void CudaDevice::Wait() { Check("step", cudaStreamSynchronize(stream_)); }

void CudaDevice::Prepare(const KernelCall& call) {
  if (!prepared_.insert(call.function).second) return;
  Check(call.name, cudaFuncSetAttribute(call.function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                        static_cast<int>(call.shared_bytes)));
}

void CudaDevice::Launch(const KernelCall& call) {
  Use();
  if (call.start != nullptr) {
    Check(call.name, cudaSuccess);
    return call.start(call.arguments, stream_);
  }
  Prepare(call);
  const dim3 blocks(static_cast<unsigned>(call.grid.x), static_cast<unsigned>(call.grid.y),
                    static_cast<unsigned>(call.grid.z));
  void* arguments[] = {const_cast<void*>(call.arguments)};
  Check(call.name, cudaLaunchKernel(call.function, blocks, dim3(static_cast<unsigned>(call.threads)), arguments,
                                    static_cast<size_t>(call.shared_bytes), stream_));
}

std::unique_ptr<CommandGraph> CudaDevice::MakeGraph(const std::vector<Command>& commands) {
  return std::make_unique<Graph>(*this, commands);
}

std::unique_ptr<Moment> CudaDevice::Mark() { return std::make_unique<Event>(*this); }

}  // namespace sfumato::cuda
