// Commands that come again run as one graph, with the results that they have one by one; others never do.
#include "cuda/graph_device.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "cuda/cuda_backend.h"
#include "cuda/launch.h"
#include "cuda/row_kernels.h"
#include "ops/op_test.h"
#include "simt/simt_device.h"

namespace sfumato::cuda {
namespace {

/// What reaches the device, command by command.
class WatchedDevice : public test::SimtDevice {
 public:
  void Launch(const KernelCall& call) override {
    ++launches;
    if (launches == fails_at) Fail(SFUMATO_INTERNAL, "CUDA", "a fault", "none");
    SimtDevice::Launch(call);
  }
  std::unique_ptr<CommandGraph> MakeGraph(const std::vector<Command>& commands) override {
    ++graphs;
    return SimtDevice::MakeGraph(commands);
  }

  int64_t launches = 0;
  int64_t graphs = 0;
  int64_t fails_at = -1;
};

/// numbers = (numbers + addend) * factor
struct AddKernel {
  static constexpr const char* kName = "add";
  static constexpr int kThreads = 256;
  using Shared = NoShared;

  Global<const float> addend;
  int64_t size;
  float factor;
  Global<float> numbers;

  SFUMATO_DEVICE void operator()(Shared&) const {
    const int64_t i = static_cast<int64_t>(BlockX()) * kThreads + ThreadIndex();
    if (i < size) numbers[i] = (numbers[i] + addend[i]) * factor;
  }
};

class GraphDeviceTest : public testing::Test {
 protected:
  explicit GraphDeviceTest(size_t remembered = GraphDevice::kRemembered) {
    auto watched = std::make_unique<WatchedDevice>();
    watched_ = watched.get();
    device_ = std::make_unique<GraphDevice>(std::move(watched), remembered);
    numbers_ = DeviceArray<float>(*device_, kSize);
    addend_ = DeviceArray<float>(*device_, kSize);
    const std::vector<float> ones(kSize, 1.0f);
    device_->Upload(addend_.data(), ones.data(), addend_.bytes());
  }

  /// numbers[0, size) = (numbers + 1) * factor, so many times.
  void Add(int times, int64_t size = kSize, float factor = 1) {
    for (int i = 0; i < times; ++i)
      Launch(*device_, AddKernel{addend_.data(), size, factor, numbers_.data()}, {(size + 255) / 256, 1, 1});
  }

  std::vector<float> Numbers() {
    std::vector<float> numbers(kSize);
    device_->Download(numbers.data(), numbers_.data(), numbers_.bytes());
    return numbers;
  }

  static constexpr int64_t kSize = 300;
  WatchedDevice* watched_;
  std::unique_ptr<GraphDevice> device_;
  DeviceArray<float> numbers_;
  DeviceArray<float> addend_;
};

TEST_F(GraphDeviceTest, ReplaysWhatCameBefore) {
  for (int round = 1; round <= 4; ++round) {
    Add(20);
    EXPECT_EQ(Numbers(), std::vector<float>(kSize, 20.0f * static_cast<float>(round)));
  }
  EXPECT_EQ(watched_->graphs, 1);
  EXPECT_EQ(device_->replayed(), 3);
  EXPECT_EQ(watched_->launches, 80);
}

TEST_F(GraphDeviceTest, AnythingElseIsNotThat) {
  Add(20);
  Numbers();
  Add(20, kSize - 1);  // another size
  Numbers();
  Add(20, kSize, 2);  // another argument
  Numbers();
  Add(21);  // longer
  Numbers();
  Add(19);
  device_->Copy(numbers_.data(), addend_.data(), 4);
  EXPECT_EQ(Numbers()[0], 1);
  Add(19);
  device_->Clear(numbers_.data(), 4);
  EXPECT_EQ(Numbers()[0], 0);
  EXPECT_EQ(device_->replayed(), 0);
  EXPECT_EQ(watched_->graphs, 0);
  float expected = 0;
  for (const auto& [times, factor] : {std::pair{40, 1.0f}, {20, 2.0f}, {59, 1.0f}}) {
    for (int i = 0; i < times; ++i) expected = (expected + 1) * factor;
  }
  EXPECT_EQ(Numbers()[1], expected);
}

TEST_F(GraphDeviceTest, CopiesAndZerosAreReplayedInTheirPlaces) {
  std::vector<std::vector<float>> results;
  for (int round = 0; round < 3; ++round) {
    Add(6);
    device_->Clear(numbers_.data(), 8);
    Add(1);
    device_->Copy(numbers_.data() + 1, addend_.data(), 4);
    Add(1);
    results.push_back(Numbers());
    EXPECT_EQ(results.back()[0], 2);
    EXPECT_EQ(results.back()[1], 2);
  }
  EXPECT_EQ(device_->replayed(), 2);
}

TEST_F(GraphDeviceTest, LongStepsAreCutAndShortRestsRunAsTheyAre) {
  const int times = 2 * static_cast<int>(GraphDevice::kSegment) + static_cast<int>(GraphDevice::kShortest) - 1;
  Add(times);
  // All segments but the rest are on the device before anybody waits; the second is equal to the first.
  EXPECT_EQ(watched_->launches, 2 * static_cast<int64_t>(GraphDevice::kSegment));
  EXPECT_EQ(device_->replayed(), 1);
  EXPECT_EQ(Numbers()[0], static_cast<float>(times));
  EXPECT_EQ(watched_->launches, times);
  EXPECT_EQ(device_->remembered(), 1u);
}

TEST_F(GraphDeviceTest, WhatIsKeptBackRunsBeforeMemoryGoesOrIsWrittenTo) {
  Add(3);
  const std::vector<float> twos(kSize, 2.0f);
  device_->Upload(addend_.data(), twos.data(), addend_.bytes());
  EXPECT_EQ(watched_->launches, 3);
  EXPECT_EQ(Numbers()[0], 3);
  Add(2);
  DeviceArray<float> other(*device_, 4);
  EXPECT_EQ(watched_->launches, 5);
  Add(1);
  other = {};
  EXPECT_EQ(watched_->launches, 6);
  EXPECT_EQ(Numbers()[0], 9);
}

class SmallGraphDeviceTest : public GraphDeviceTest {
 protected:
  SmallGraphDeviceTest() : GraphDeviceTest(3) {}
};

TEST_F(SmallGraphDeviceTest, ForgetsTheOneNotSeenForLongest) {
  const auto see = [this](float factor) {
    Add(10, kSize, factor);
    Numbers();
  };
  see(1);
  see(2);
  see(3);
  see(1);
  EXPECT_EQ(device_->replayed(), 1);
  see(4);  // 2 is forgotten
  EXPECT_EQ(device_->remembered(), 3u);
  see(3);
  see(1);
  EXPECT_EQ(device_->replayed(), 3);
  see(2);
  EXPECT_EQ(device_->replayed(), 3);
  EXPECT_EQ(device_->remembered(), 3u);
}

TEST_F(GraphDeviceTest, AFaultIsToldByWhatWaitsForIt) {
  watched_->fails_at = 2;
  Add(3);
  EXPECT_THROW(Numbers(), Error);
}

/// Some layers, of kernels with different arguments, in arrays that stay where they are.
class Layers {
 public:
  explicit Layers(std::unique_ptr<Device> device) : backend_(std::move(device), Precision::kFloat32, 1, {64, 64, 0}) {
    const test::Floats numbers = test::RandomFloats(size_t{kWidth * kWidth}, 1, 0.1f);
    weights_ = backend_.Pack({test::View(numbers, {kWidth, kWidth})});
    norm_ = backend_.Upload(test::Floats(kWidth, 1.5f));
  }

  test::Floats Run(int64_t rows) {
    const test::Floats input = test::RandomFloats(rows * kWidth, static_cast<uint32_t>(rows));
    std::copy(input.begin(), input.end(), hidden_.begin());
    backend_.BeginStep(layout_);
    for (int layer = 0; layer < 4; ++layer) {
      backend_.RmsNorm({hidden_.data(), rows, kWidth, norm_->data(), nullptr, 1e-6f, normed_.data()});
      backend_.Matmul(
          {Part::kFeedForward, normed_.data(), rows, weights_.get(), nullptr, Epilogue::kAdd, hidden_.data()});
      backend_.Scale({hidden_.data(), rows, kWidth, 0.5f});
    }
    backend_.EndStep();
    return {hidden_.begin(), hidden_.begin() + rows * kWidth};
  }

 private:
  static constexpr int64_t kWidth = 96;

  CudaBackend backend_;
  StepLayout layout_;
  std::unique_ptr<PackedMatrix> weights_;
  std::unique_ptr<Buffer> norm_;
  test::Floats hidden_ = test::Floats(64 * kWidth);
  test::Floats normed_ = test::Floats(64 * kWidth);
};

TEST(GraphBackendTest, ResultsHaveTheSameBitsWithAndWithoutGraphs) {
  Layers plain(std::make_unique<test::SimtDevice>());
  auto device = std::make_unique<GraphDevice>(std::make_unique<test::SimtDevice>());
  const GraphDevice& graphs = *device;
  Layers graphed(std::move(device));
  for (const int64_t rows : {5, 5, 9, 5, 9}) EXPECT_EQ(plain.Run(rows), graphed.Run(rows));
  EXPECT_EQ(graphs.made(), 2);
  EXPECT_EQ(graphs.replayed(), 3);
}

}  // namespace
}  // namespace sfumato::cuda
