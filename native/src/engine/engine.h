#ifndef SFUMATO_ENGINE_ENGINE_H_
#define SFUMATO_ENGINE_ENGINE_H_

#include <cstdint>

#include "sfumato_engine.h"

namespace sfumato {

/// What stands behind a handle of the C interface: a model on this library's backend, or an engine of a plug-in. See
/// sfumato_engine.h for the contract of each function. Errors are thrown.
class Engine {
 public:
  virtual ~Engine() = default;

  virtual sfumato_info Info() const = 0;
  virtual sfumato_buffers Buffers() = 0;

  virtual void Plan(int32_t item_count) = 0;
  /// logits: null, or room for the planned rows.
  virtual void Run(float* logits, uint64_t capacity) = 0;
  virtual void CopyState(int32_t from_slot, int32_t to_slot) = 0;
  virtual void ResetSlot(int32_t slot) = 0;
  /// Returns how many of at most `capacity` entries it wrote.
  virtual int32_t ReadProfile(sfumato_profile_entry* entries, int32_t capacity, bool reset) = 0;
};

}  // namespace sfumato

#endif  // SFUMATO_ENGINE_ENGINE_H_
