#ifndef SFUMATO_CUDA_GRAPH_DEVICE_H_
#define SFUMATO_CUDA_GRAPH_DEVICE_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cuda/device.h"

namespace sfumato::cuda {

/// A device whose commands are brought to it in graphs, since starting kernels one by one leaves gaps between them.
///
/// Commands are kept back until there are kSegment of them, or something waits for them. A segment that is equal, byte for
/// byte, to an earlier one (kernels, blocks, arguments, in their order) runs as the graph of that one, each command after
/// the one before; others run one by one. So a graph never does anything but what would be done without it.
class GraphDevice : public Device {
 public:
  /// Of one segment. Few enough that the device need not wait for a step's first, so many that a graph pays.
  static constexpr size_t kSegment = 64;
  /// Shorter ones are not worth a graph.
  static constexpr size_t kShortest = 8;
  /// Segments that are remembered; the one not seen for longest is forgotten.
  static constexpr size_t kRemembered = 512;

  explicit GraphDevice(std::unique_ptr<Device> device, size_t remembered = kRemembered)
      : device_(std::move(device)), most_(remembered) {}

  std::string Name() const override { return device_->Name(); }
  std::string Model() const override { return device_->Model(); }
  void* Allocate(int64_t bytes) override {
    Flush();
    return device_->Allocate(bytes);
  }
  void Free(void* memory) noexcept override;
  void Reserve(int64_t bytes) override { device_->Reserve(bytes); }
  DeviceMemory Memory() const override { return device_->Memory(); }
  void* AllocateHost(int64_t bytes) override { return device_->AllocateHost(bytes); }
  void FreeHost(void* memory) noexcept override { device_->FreeHost(memory); }
  void Upload(void* to, const void* from, int64_t bytes) override {
    Flush();
    device_->Upload(to, from, bytes);
  }
  void Download(void* to, const void* from, int64_t bytes) override {
    Flush();
    device_->Download(to, from, bytes);
  }
  void Wait() override {
    Flush();
    device_->Wait();
  }
  void Launch(const KernelCall& call) override { Keep({call, nullptr, nullptr, 0}); }
  void Copy(void* to, const void* from, int64_t bytes) override { Keep({{}, to, from, bytes}); }
  void Clear(void* memory, int64_t bytes) override { Keep({{}, memory, nullptr, bytes}); }
  std::unique_ptr<CommandGraph> MakeGraph(const std::vector<Command>& commands) override {
    return device_->MakeGraph(commands);
  }
  std::unique_ptr<Moment> Mark() override {
    Flush();
    return device_->Mark();
  }
  bool plans_only() const override { return device_->plans_only(); }

  /// Segments that ran as graphs so far.
  int64_t replayed() const { return replayed_; }
  /// Graphs that were made so far.
  int64_t made() const { return made_; }
  size_t remembered() const { return segments_.size(); }

 private:
  struct Segment {
    uint64_t hash;
    std::vector<uint64_t> words;
    /// From the second time on.
    std::unique_ptr<CommandGraph> graph;
  };

  void Keep(const Command& command);
  /// Brings everything that is kept back to the device.
  void Flush();
  void Submit();
  Segment& Remember();

  std::unique_ptr<Device> device_;
  const size_t most_;
  std::vector<Command> commands_;
  /// What is kept back as words: of each command all that it is made of, arguments included.
  std::vector<uint64_t> words_;
  std::vector<size_t> arguments_;  // where each command's begin
  /// The latest first.
  std::list<Segment> segments_;
  std::unordered_multimap<uint64_t, std::list<Segment>::iterator> places_;
  int64_t replayed_ = 0;
  int64_t made_ = 0;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_GRAPH_DEVICE_H_
