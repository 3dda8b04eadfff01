#ifndef SFUMATO_ENGINE_ENGINE_H_
#define SFUMATO_ENGINE_ENGINE_H_

#include <memory>

#include "engine/engine_options.h"
#include "engine/step_buffers.h"
#include "engine/step_planner.h"
#include "models/model.h"
#include "ops/backend.h"

namespace sfumato {

/// One model on one device, and the step that is planned for it. Behind the C interface; see sfumato_engine.h for the
/// contract of each function.
class Engine {
 public:
  explicit Engine(const EngineOptions& options);

  sfumato_info Info() const;
  StepBuffers& buffers() { return *buffers_; }
  Profile& profile() { return backend_->profile(); }

  void Plan(int32_t item_count);
  /// logits: null, or room for the planned rows.
  void Run(float* logits, uint64_t capacity);
  void CopyState(int32_t from_slot, int32_t to_slot);
  void ResetSlot(int32_t slot);

 private:
  void CheckSlot(const char* name, int32_t slot) const;

  EngineOptions options_;  // with approximate_cache where the family can
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<StepBuffers> buffers_;
  std::unique_ptr<StepPlanner> planner_;
};

}  // namespace sfumato

#endif  // SFUMATO_ENGINE_ENGINE_H_
