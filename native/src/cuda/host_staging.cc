#include "cuda/host_staging.h"

#include <algorithm>

namespace sfumato::cuda {

uint8_t* HostStaging::Next(int64_t bytes) {
  current_ = 1 - current_;
  Half& half = halves_[current_];
  if (half.sent != nullptr) half.sent->Wait();
  half.sent = nullptr;
  if (half.bytes < bytes) {
    if (half.data != nullptr) device_.FreeHost(half.data);
    half = {};
    half.bytes = std::max(bytes, kBytes);
    half.data = static_cast<uint8_t*>(device_.AllocateHost(half.bytes));
  }
  return half.data;
}

void HostStaging::Send(void* to, int64_t bytes) {
  Half& half = halves_[current_];
  device_.Upload(to, half.data, bytes);
  half.sent = device_.Mark();
}

void HostStaging::Release() {
  for (Half& half : halves_) {
    if (half.data == nullptr) continue;
    try {
      if (half.sent != nullptr) half.sent->Wait();
    } catch (...) {
      half.sent = nullptr;  // a device that failed copies nothing any more
    }
    device_.FreeHost(half.data);
    half = {};
  }
}

}  // namespace sfumato::cuda
