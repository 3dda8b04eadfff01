#ifndef SFUMATO_ENGINE_MODEL_ENGINE_H_
#define SFUMATO_ENGINE_MODEL_ENGINE_H_

#include <memory>

#include "engine/engine.h"
#include "engine/engine_options.h"
#include "engine/step_buffers.h"
#include "engine/step_planner.h"
#include "models/model.h"
#include "ops/backend.h"

namespace sfumato {

/// One model on this library's backend, and the step that is planned for it.
class ModelEngine : public Engine {
 public:
  explicit ModelEngine(const EngineOptions& options);

  sfumato_info Info() const override;
  sfumato_buffers Buffers() override { return parts_.buffers->Describe(); }
  void Plan(int32_t item_count) override;
  void Run(float* logits, uint64_t capacity) override;
  void CopyState(int32_t from_slot, int32_t to_slot) override;
  void ResetSlot(int32_t slot) override;
  int32_t ReadProfile(sfumato_profile_entry* entries, int32_t capacity, bool reset) override;

 private:
  struct Parts {
    std::unique_ptr<Model> model;
    std::unique_ptr<StepBuffers> buffers;
    std::unique_ptr<StepPlanner> planner;
  };

  /// Loads the model, and allocates everything.
  Parts Build(Backend& backend, const Checkpoint& checkpoint);
  void CheckSlot(const char* name, int32_t slot) const;

  EngineOptions options_;  // with approximate_cache where the family can
  std::unique_ptr<Backend> backend_;
  Parts parts_;
};

}  // namespace sfumato

#endif  // SFUMATO_ENGINE_MODEL_ENGINE_H_
