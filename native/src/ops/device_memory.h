#ifndef SFUMATO_OPS_DEVICE_MEMORY_H_
#define SFUMATO_OPS_DEVICE_MEMORY_H_

#include <cstdint>

namespace sfumato {

/// Bytes of a device with memory of its own; zeros for the host.
struct DeviceMemory {
  int64_t reserved = 0;
  /// Before anything was reserved.
  int64_t free = 0;
  int64_t total = 0;
};

}  // namespace sfumato

#endif  // SFUMATO_OPS_DEVICE_MEMORY_H_
