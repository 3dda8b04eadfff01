#ifndef SFUMATO_CUDA_HOST_STAGING_H_
#define SFUMATO_CUDA_HOST_STAGING_H_

#include <array>
#include <cstdint>
#include <memory>

#include "cuda/device.h"

namespace sfumato::cuda {

/// Two buffers of the host for weights on their way to the device: one is filled while the other is copied. So a model is
/// never in the host's memory a second time.
class HostStaging {
 public:
  /// Of one buffer, unless a single piece needs more.
  static constexpr int64_t kBytes = 32 << 20;

  explicit HostStaging(Device& device) : device_(device) {}
  ~HostStaging() { Release(); }

  HostStaging(const HostStaging&) = delete;
  HostStaging& operator=(const HostStaging&) = delete;

  /// The other buffer, of so many bytes or more, once the device has read it.
  uint8_t* Next(int64_t bytes);
  /// Copies what lies at the beginning of the buffer that Next gave.
  void Send(void* to, int64_t bytes);
  /// Gives both back, when all is copied.
  void Release();

 private:
  struct Half {
    uint8_t* data = nullptr;
    int64_t bytes = 0;
    std::unique_ptr<Moment> sent;
  };

  Device& device_;
  std::array<Half, 2> halves_;
  size_t current_ = 0;
};

}  // namespace sfumato::cuda

#endif  // SFUMATO_CUDA_HOST_STAGING_H_
